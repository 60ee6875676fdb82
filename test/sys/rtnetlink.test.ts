import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { isRoot } from './native/support.js';

const CHILD = fileURLToPath(new URL('./rtnetlink-child.js', import.meta.url));
const STEPS = [
  'theLoopback',
  'addressesOfIpv4',
  'addressesOfIpv6',
  'aMacvlan',
  'routes',
  'rules',
  'neighbours',
];

t.test(
  'the kernel takes what the rtnetlink codec writes, and it reads what the kernel says',
  {
    skip: isRoot ? false : 'needs root',
  },
  async (t) => {
    const { status, stdout, stderr } = spawnSync('unshare', ['-n', process.execPath, CHILD], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { PATH: process.env.PATH },
    });
    t.strictSame(stdout.trim().split('\n'), STEPS, stderr.slice(-2000));
    t.equal(status, 0);
  },
);
