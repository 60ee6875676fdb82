/** Everything of the demo that runs: the servers, the daemon, and the ear for orders. */
import { Stop, say } from '../lib/process.mjs';
import { listenForOrders, makeFolder, removeFolder } from './control.mjs';
import { Daemon } from './daemon.mjs';
import { Servers } from './servers.mjs';

/** A line of the daemon's log as a person reads it; undefined for what only a log needs. */
function logText(line) {
  try {
    const { time, level, kind, operation, msg } = JSON.parse(line);
    if (operation !== undefined) return `          ipvsadm ${msg}`;
    if (kind === undefined && level === 'info') return undefined;
    return `${new Date(time).toTimeString().slice(0, 8)}  ${msg}`;
  } catch {
    return line;
  }
}

function tell(line) {
  const text = logText(line);
  if (text !== undefined) say(text);
}

/** Everything that was started, in the order in which it must end. */
export class Stage {
  servers = new Servers();
  daemon;
  #control;

  /**
   * @param {'kernel' | 'memory'} table
   * @param {string} program the daemon's
   * @throws Stop; what was started by then is ended by `end`
   */
  async start(table, program) {
    const folder = makeFolder();
    await this.servers.startAll();
    this.daemon = new Daemon(folder, table, program, tell);
    this.#control = await listenForOrders((order) => this.#handle(order));
  }

  async #handle({ verb, name }) {
    if (verb === 'list') return { pid: process.pid, daemon: this.daemon.pid, servers: this.servers.list() };
    if (!['start', 'stop', 'hang'].includes(verb)) throw new Stop(`not an order: ${verb}`);
    await this.servers.order(verb, name);
    return { done: `${name}: ${verb}` };
  }

  async end() {
    this.#control?.close();
    const left = await this.daemon?.stop();
    await this.servers.stopAll();
    removeFolder();
    return left;
  }
}
