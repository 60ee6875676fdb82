/** A director of `npm run demo -- directors`: lvsentry and a page that says whose it is, on a host of the demo's network. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../lib/process.mjs';

export const PROGRAM = join(ROOT, 'dist/bundle/src/main.js');
const PAGE = fileURLToPath(new URL('./page-server.mjs', import.meta.url));

/** The virtual IP, and where the page listens. */
export const VIP = '10.88.0.100';
export const PORT = 80;

const configText = ({ name, own, priority, socket }) => `name: ${name}
table: memory
api: { listen: 'unix:${socket}' }
services:
  page:
    address: ${VIP}:${PORT}
    forward: direct
    check: { type: tcp, interval: 200ms, timeout: 150ms, rise: 2, fall: 2 }
    servers: [{ name: page, address: ${own} }]
vrrp:
  outside:
    interface: eth0
    id: 51
    priority: ${priority}
    interval: 100ms
    addresses: [${VIP}/24]
    track: { services: [page], penalty: 60 }
`;

/** What of lvsentry's log a person wants to see beside the story. */
const KINDS = [
  'became-master',
  'became-backup',
  'fault',
  'vip-restored',
  'vip-refused',
  'vrrp-trouble',
  'worker-restarted',
];

/** `03:00:00.123`, of milliseconds since 1970. */
function clockText(at) {
  return `${new Date(at).toTimeString().slice(0, 8)}.${String(at % 1000).padStart(3, '0')}`;
}

export class Director {
  #network;
  #say;
  #children = new Map();
  #last = '';
  name;
  /** Where its API listens. */
  socket;
  #file;

  /**
   * @param {{network: import('./network.mjs').Network, folder: string, say: (text: string) => void}} place
   * @param {{name: string, own: string, priority: number}} role `own`: its address
   */
  constructor({ network, folder, say }, { name, own, priority }) {
    this.#network = network;
    this.#say = say;
    this.name = name;
    this.socket = join(folder, `${name}.sock`);
    this.#file = join(folder, `${name}.yaml`);
    writeFileSync(this.#file, configText({ name, own, priority, socket: this.socket }));
  }

  #start(what, ...words) {
    const child = this.#network.start(this.name, [process.execPath, ...words], (line) => this.#onLine(line));
    this.#children.set(what, child);
  }

  #onLine(line) {
    this.#last = line;
    try {
      const { time, kind, msg } = JSON.parse(line);
      if (KINDS.includes(kind)) this.#say(`  ${clockText(Date.parse(time))}  ${this.name}: ${msg}`);
    } catch {
      if (line !== 'listening') this.#say(`  ${this.name}: ${line}`);
    }
  }

  startPage() {
    this.#start('page', PAGE, this.name, String(PORT));
  }

  startDaemon() {
    this.#start('daemon', PROGRAM, 'run', '-c', this.#file);
  }

  /** Why it does not run any more, in its own words; undefined while it does. */
  trouble() {
    const child = this.#children.get('daemon');
    const isGone = child !== undefined && (child.exitCode !== null || child.signalCode !== null);
    return isGone ? `lvsentry on ${this.name} ended; its last words: ${this.#last}` : undefined;
  }

  /** A signal to the page, to lvsentry, or to both. */
  signal(name, ...which) {
    for (const what of which) this.#children.get(what)?.kill(name);
  }

  /** Ends the page, lvsentry, or both. */
  async end(name, ...which) {
    this.signal(name, ...which);
    await Promise.all(which.map((what) => this.#children.get(what)?.gone));
    for (const what of which) this.#children.delete(what);
  }
}
