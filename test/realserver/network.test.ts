import { fileURLToPath } from 'node:url';
import t from 'tap';
import { isRoot } from '../sys/native/support.js';

const CHILD = fileURLToPath(new URL('./network-child.js', import.meta.url));

t.setTimeout(180_000);
t.test(
  'a real server never answers for the virtual IP, as a host on its network hears',
  { skip: isRoot ? false : 'needs root' },
  (t) => t.spawn('unshare', ['-n', process.execPath, CHILD]),
);
