/** What is the director's own is never taken from it, whatever the configuration calls a virtual IP. */
import t from 'tap';
import { Stage, whyNot } from './stage.js';

const skip = whyNot() ?? false;
t.setTimeout(120_000);

const vrrp = (vip: string): string => `{ interface: eth0, id: 51, interval: 100ms, addresses: [${vip}/24] }`;

t.test("a director's own address, called a virtual IP by mistake, stays and is told", { skip }, async (t) => {
  const stage = new Stage(['a']);
  t.teardown(() => stage.close());
  const program = stage.lvsentry('a', vrrp('10.77.0.1'));
  const told = /eth0 has no IPv4 address of its own to send from/;
  await stage.until('it says why it takes no part', () => program.output.some((line) => told.test(line)));
  await program.stop('SIGTERM');
  t.ok(stage.has('a', '10.77.0.1'), 'the address is there, though lvsentry began and ended');
});

t.test(
  'a virtual IP that was there first does not take the rest of its subnet with it',
  { skip },
  async (t) => {
    const stage = new Stage(['a', 'b']);
    t.teardown(() => stage.close());
    stage.in('a', 'sysctl', '-qw', 'net.ipv4.conf.all.promote_secondaries=0');
    stage.in('a', 'sysctl', '-qw', 'net.ipv4.conf.eth0.promote_secondaries=0');
    for (const words of [
      ['del', '10.77.0.1/24'],
      ['add', '10.77.0.100/24'],
      ['add', '10.77.0.1/24'],
    ])
      stage.in('a', 'ip', 'addr', ...words, 'dev', 'eth0');
    const b = stage.lvsentry('b', vrrp('10.77.0.100'));
    await stage.until('b is master', () => stage.has('b', '10.77.0.100'));
    const a = stage.lvsentry('a', vrrp('10.77.0.100').replace('id: 51', 'id: 51, preempt: false'));
    await stage.until('a is backup', () => a.output.some((line) => line.includes('became-backup')));
    await stage.until('the virtual IP is gone from a', () => !stage.has('a', '10.77.0.100'));
    t.ok(stage.has('a', '10.77.0.1'), 'its own address is not');
    await a.stop('SIGTERM');
    await b.stop('SIGTERM');
    t.ok(stage.has('a', '10.77.0.1') && stage.has('b', '10.77.0.2'));
  },
);
