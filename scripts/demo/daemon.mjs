/** The daemon as the demo runs it: a child process with a copy of the demo's configuration. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, Stop } from '../lib/process.mjs';
import { servicesInKernel } from './table.mjs';

const CONFIG = join(ROOT, 'config/lvsentry.demo.yaml');
const API_PORT = 8405;
const READY_MS = 60_000;
const END_MS = 10_000;
const POLL_MS = 100;

/** As config/lvsentry.demo.yaml has them. */
const SERVICE_PORTS = [8480, 8421];

export const STATUS_URL = `http://127.0.0.1:${API_PORT}/v1/status`;

/** @throws Stop where somebody listens on the API's port */
export async function checkApiPort() {
  const server = createServer();
  server.listen(API_PORT, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    throw new Stop(
      `port 127.0.0.1:${API_PORT} is taken, and lvsentry's API needs it: end what listens there`,
    );
  }
  server.close();
  await once(server, 'close');
}

/** The body of the status answer, or undefined where there is none (yet). */
export function readStatus() {
  return new Promise((resolve) => {
    const request = get(STATUS_URL, { timeout: 2_000, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(response.statusCode === 200 ? JSON.parse(text) : undefined));
      response.on('error', () => resolve(undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

async function until(condition, limitMs) {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    if (await condition()) return true;
    await sleep(POLL_MS);
  }
  return false;
}

function configText(table) {
  return readFileSync(CONFIG, 'utf8').replace(/^table: memory.*$/m, `table: ${table}`);
}

/** The same daemon with nothing to do: everything that follows `services:` is left out. */
function emptyConfigText(table) {
  return configText(table).replace(/^services:[\s\S]*$/m, 'services: {}\n');
}

/** Ends the daemon of a demo that was killed and could not do it: known by the folder in its command line. */
export async function endLeftover(folder) {
  const file = join(folder, 'daemon.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const isOurs = () => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(folder, 'lvsentry.yaml'));
    } catch {
      return false;
    }
  };
  if (!Number.isInteger(pid) || pid < 2 || !isOurs()) return;
  process.kill(pid, 'SIGTERM');
  await until(() => !isOurs(), END_MS);
}

export class Daemon {
  #child;
  #ended;
  #table;
  #file;
  #last = '';

  /**
   * @param {string} folder for the configuration; the caller removes it
   * @param {'kernel' | 'memory'} table
   * @param {string} program the daemon's, below the project
   * @param {(line: string) => void} onLine each line of its log
   */
  constructor(folder, table, program, onLine) {
    this.#table = table;
    this.#file = join(folder, 'lvsentry.yaml');
    writeFileSync(this.#file, configText(table), { mode: 0o600 });
    this.#child = spawn(process.execPath, [join(ROOT, program), 'run', '-c', this.#file], {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'close');
    writeFileSync(join(folder, 'daemon.pid'), `${this.#child.pid}`);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        this.#last = line;
        onLine(line);
      });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Settles when it has ended, with its exit code or signal. */
  async ended() {
    const [code, signal] = await this.#ended;
    return signal ?? code;
  }

  #isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws Stop where it does not answer in time, or ends */
  async ready() {
    await until(async () => !this.#isRunning() || (await readStatus()) !== undefined, READY_MS);
    if (!this.#isRunning()) throw new Stop(`the daemon ended at its start; its last words: ${this.#last}`);
    if ((await readStatus()) === undefined)
      throw new Stop(`the daemon does not answer at ${STATUS_URL}; its last words: ${this.#last}`);
  }

  /** Takes the demo's services out of the kernel's table: a configuration without them removes what is ours. */
  async #clearKernel() {
    if (this.#table !== 'kernel' || !this.#isRunning()) return;
    writeFileSync(this.#file, emptyConfigText(this.#table));
    this.#child.kill('SIGHUP');
    await until(() => servicesInKernel(SERVICE_PORTS).length === 0, END_MS);
  }

  /** @returns {Promise<string | undefined>} what could not be cleaned up, in words */
  async stop() {
    await this.#clearKernel();
    if (this.#isRunning()) this.#child.kill('SIGTERM');
    const late = sleep(END_MS, 'late', { ref: false });
    if ((await Promise.race([this.#ended, late])) === 'late') {
      this.#child.kill('SIGKILL');
      await this.#ended;
    }
    const left = this.#table === 'kernel' ? servicesInKernel(SERVICE_PORTS) : [];
    return left.length === 0
      ? undefined
      : `left in the kernel's table, remove with ${SERVICE_PORTS.map((port) => `\`ipvsadm -D -t 127.0.0.1:${port}\``).join(' and ')}`;
  }
}
