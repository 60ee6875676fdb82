/** What is the director's own is never taken from it, whatever the configuration calls a virtual IP. */
import t from 'tap';
import { configureLvsentry, loggedBy, startLvsentry } from './peers/lvsentry.js';
import { ASKING, type Program, Stage, whyNot } from './stage.js';

const skip = whyNot(...ASKING) ?? false;
t.setTimeout(120_000);

function start(stage: Stage, host: string, vip: string, more = ''): Program {
  const router = `v: { interface: eth0, id: 51, interval: 100ms, addresses: [${vip}/24]${more} }`;
  return startLvsentry(stage, host, configureLvsentry(stage, host, [router]));
}

const isNow = (program: Program, kind: string) => () =>
  loggedBy(program).some((logged) => logged.kind === kind);

t.test("a director's own address, called a virtual IP by mistake, stays and is told", { skip }, async (t) => {
  const stage = await Stage.build(['a']);
  t.teardown(() => stage.close());
  const program = start(stage, 'a', '10.77.0.1');
  const told = /eth0 has no IPv4 address of its own to send from/;
  await stage.until('it says why it takes no part', () => program.output.some((line) => told.test(line)));
  await program.stop('SIGTERM');
  t.match(await stage.ip('a', 'addr'), '10.77.0.1/24', 'it is there, though lvsentry began and ended');
});

t.test('a virtual IP that was there first does not take its subnet with it', { skip }, async (t) => {
  const stage = await Stage.build(['a', 'b']);
  t.teardown(() => stage.close());
  for (const link of ['all', 'eth0'])
    await stage.in('a', 'sysctl', '-qw', `net.ipv4.conf.${link}.promote_secondaries=0`);
  for (const words of [
    ['del', '10.77.0.1/24'],
    ['add', '10.77.0.100/24'],
    ['add', '10.77.0.1/24'],
  ])
    await stage.ip('a', 'addr', ...words, 'dev', 'eth0');
  const b = start(stage, 'b', '10.77.0.100');
  await stage.until('b is master', isNow(b, 'became-master'));
  const a = start(stage, 'a', '10.77.0.100', ', preempt: false');
  await stage.until('a is backup', isNow(a, 'became-backup'));
  const others = ['10.77.0.1', '10.77.0.2'];
  const why = 'the virtual IP is gone from a';
  await stage.untilAnswers([`b ${stage.macOf('b')}`], '10.77.0.100', { others, why });
  t.match(await stage.ip('a', 'addr'), '10.77.0.1/24', 'its own address is not');
  await a.stop('SIGTERM');
  await b.stop('SIGTERM');
  for (const [index, host] of ['a', 'b'].entries()) {
    const left = await stage.ip(host, 'addr');
    t.match(left, `10.77.0.${index + 1}/24`);
    t.notMatch(left, '10.77.0.100/24');
  }
});

const OWNERS = [
  { family: 'IPv4', vip: '10.77.0.1/24' },
  { family: 'IPv6', vip: 'fe80::77/64' },
];

for (const { family, vip } of OWNERS)
  t.test(
    `an owner whose only ${family} address is the virtual IP is heard when it comes back`,
    { skip },
    async (t) => {
      const stage = await Stage.build(['a', 'b']);
      t.teardown(() => stage.close());
      if (family === 'IPv6') await stage.ip('a', 'addr', 'add', vip, 'dev', 'eth0', 'nodad');
      const router = (priority: number): string =>
        `v: { interface: eth0, id: 51, interval: 100ms, priority: ${priority}, addresses: ["${vip}"] }`;
      const run = (host: string, priority: number): Program =>
        startLvsentry(stage, host, configureLvsentry(stage, host, [router(priority)]));
      const owner = run('a', 255);
      await stage.until('the owner is master', isNow(owner, 'became-master'));
      const b = run('b', 100);
      await stage.until('b is backup', isNow(b, 'became-backup'));
      await owner.stop('SIGKILL');
      await stage.until('b takes over', isNow(b, 'became-master'));
      const back = run('a', 255);
      await stage.until('the owner is master again', isNow(back, 'became-master'));
      const yielded = () => loggedBy(b).filter((logged) => logged.kind === 'became-backup').length === 2;
      await stage.until('b hears it, and yields', yielded);
      t.notMatch(await stage.ip('b', 'addr'), vip);
      t.match(await stage.ip('a', 'addr'), vip, 'the owner keeps what is its own');
    },
  );
