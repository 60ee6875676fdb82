/** The lab itself: what every other suite takes for granted. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Assertions } from '../../contract/assertions.js';

const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' });

export async function suite(t: Assertions): Promise<void> {
  await t.test('the kernel has IPVS, and its table is empty in a suite’s namespace', async (t) => {
    t.ok(existsSync('/proc/net/ip_vs'));
    t.equal(run('ipvsadm', '-Sn'), '');
  });

  await t.test('a change of the table is seen in this namespace and not in another', async (t) => {
    run('ipvsadm', '-A', '-t', '192.0.2.1:80', '-s', 'wlc');
    t.equal(run('ipvsadm', '-Sn').trim(), '-A -t 192.0.2.1:80 -s wlc');
    t.equal(run('unshare', '--net', 'ipvsadm', '-Sn'), '');
    run('ipvsadm', '-C');
  });

  await t.test('a suite sees its own processes only', async (t) => {
    t.equal(readFileSync('/proc/1/comm', 'utf8').trim(), 'bash');
  });
}
