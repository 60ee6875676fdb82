import { fileURLToPath } from 'node:url';
import t from 'tap';
import { addressContract } from '../contract/addresses.js';
import { FakeNetwork } from '../fakes/rtnl-kernel.js';
import { isRoot } from '../sys/native/support.js';

// Retries of the keeper take a second each.
t.setTimeout(300_000);

const CHILD = fileURLToPath(new URL('./contract-child.js', import.meta.url));

t.test('the network in memory keeps the contract', (t) => addressContract(t, new FakeNetwork().place));

t.test(
  'the kernel keeps it, in a network namespace',
  { skip: isRoot ? false : 'needs root', timeout: 120_000 },
  (t) => t.spawn('unshare', ['-n', process.execPath, CHILD]),
);
