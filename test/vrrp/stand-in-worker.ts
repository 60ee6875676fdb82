/** In place of the VRRP worker: it says back what it is told, and dies when it is told to observe its end. */
import { parentPort } from 'node:worker_threads';
import type { Role } from '../../src/vrrp/model.js';
import type { FromVrrp, ToVrrp } from '../../src/vrrp/protocol.js';

const port = parentPort;
if (port === null) throw new Error('this is a thread');

const say = (message: FromVrrp): void => port.postMessage(message);
let hangs = false;

function notice(message: string): void {
  say({ kind: 'notice', notice: { instance: undefined, level: 'info', what: 'report', message } });
}

/** `throw WORDS`, `exit`, `hang` (does not stop), `role NAME ROLE`, `digest`. */
function obey(words: string): void {
  const [order, name = '', to = ''] = words.split(' ');
  if (order === 'throw') throw new Error(words.slice('throw '.length));
  if (order === 'exit') process.exit(3);
  if (order === 'hang') hangs = true;
  if (order === 'digest') {
    const none = { count: 0, p50: 0 as never, p99: 0 as never, max: 0 as never };
    say({ kind: 'digest', digest: { at: 0 as never, routers: [], loop: none, strangers: 0, unreadable: 0 } });
  }
  if (order !== 'role') return;
  const change = {
    instance: name,
    from: 'backup',
    to: to as Role,
    cause: 'startup',
    priority: 1,
    faults: [],
  };
  say({ kind: 'role', change: change as never });
}

port.on('message', (message: ToVrrp) => {
  if (message.kind === 'configure') {
    const names = message.routers.map(({ instance }) => instance.name).join(' ');
    notice(`configure [${names}] resumed [${message.resumed.join(' ')}]`);
  } else if (message.kind === 'observed') {
    notice(`${message.what} ${message.seen.kind}`);
    obey(message.what);
  } else notice(message.kind);
  if (message.kind === 'stop' && !hangs) port.close();
});
