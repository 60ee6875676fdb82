import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import t from 'tap';
import { settingLine, settingName, shellLine, shellWord } from '../../src/core/shell.js';

t.test('plain words stay plain', async (t) => {
  for (const word of ['ip', '192.0.2.1/32', 'net.ipv4.ip_forward=1', '2001:db8::1', 'a@b', 'eth0.7'])
    t.equal(shellWord(word), word);
});

t.test('law: a shell reads back each word', async () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string().filter((text) => !text.includes('\0')),
        { minLength: 1 },
      ),
      (words) => {
        const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${shellLine(...words)}`], {
          encoding: 'utf8',
        });
        return stdout === words.map((word) => `${word}\0`).join('');
      },
    ),
    { numRuns: 20 },
  );
});

t.test('settings are named as sysctl wants them', async (t) => {
  t.equal(settingName('ipv4/conf/eth0/arp_ignore'), 'net.ipv4.conf.eth0.arp_ignore');
  t.equal(settingName('ipv4/conf/eth0.7/arp_ignore'), 'net/ipv4/conf/eth0.7/arp_ignore');
  t.equal(settingLine(['ipv4/ip_forward', '1']), 'sysctl -w net.ipv4.ip_forward=1');
  t.equal(
    settingLine(['ipv4/ip_local_port_range', '1024 65535'], ['ipv4/conf/a$b/rp_filter', '0']),
    "sysctl -w 'net.ipv4.ip_local_port_range=1024 65535' 'net.ipv4.conf.a$b.rp_filter=0'",
  );
});
