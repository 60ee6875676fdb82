/** lvsentry on the topology's director: started, watched by its log and its webhooks, ended. */
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './client.js';
import type { Received } from './guest/receiver.js';
import { PROJECT } from './lab.js';
import type { GuestProcess } from './process.js';
import { type Host, startOn } from './topology.js';

const PROGRAM = join(PROJECT, 'dist/bundle/src/main.js');
const BUNDLE = process.argv[1] ?? '';
/** Node starts in about three seconds in the guest, and the suites share its one processor. */
const START_LIMIT_MS = 60_000;

export const RECEIVER_PORT = 9000;
export const SECRET = 'the lab’s secret';

/** The webhooks that reached the director's receiver. */
export class Receiver {
  readonly received: Received[] = [];
  readonly #process: GuestProcess;

  private constructor(process: GuestProcess) {
    this.#process = process;
    process.child.on('message', (received: Received) => this.received.push(received));
  }

  static async start(): Promise<Receiver> {
    const started = startOn('director', process.execPath, BUNDLE, 'receiver', String(RECEIVER_PORT));
    return new Receiver(await started.listening(RECEIVER_PORT));
  }

  /** `EVENT SERVER-OR-SERVICE` of each, in order of arrival. */
  get told(): string[] {
    return this.received.map(({ body }) => {
      const { event, service, server } = JSON.parse(body) as Record<string, string | null>;
      return `${event} ${server ?? service}`;
    });
  }

  /** Those whose signature is not what RFC 2104 gives for the secret. */
  get forged(): Received[] {
    return this.received.filter(({ headers, body }) => {
      const signed = `${headers['lvsentry-timestamp']}.${body}`;
      const expected = createHmac('sha256', SECRET).update(signed).digest('hex');
      return headers['lvsentry-signature'] !== `v1=${expected}`;
    });
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** One line of the daemon's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The daemon on one host, with one configuration file that a test may write anew. */
export class Director {
  #process: GuestProcess | undefined;

  constructor(
    readonly configFile: string,
    readonly host: Host = 'director',
  ) {}

  get process(): GuestProcess {
    if (this.#process === undefined) throw new Error('the daemon was never started');
    return this.#process;
  }

  configure(yaml: string): void {
    writeFileSync(this.configFile, yaml);
  }

  /** Starts it without waiting; `wrapper` is a program that starts programs. */
  launch(wrapper: readonly string[] = []): void {
    const [program = '', ...args] = [...wrapper, process.execPath, PROGRAM, 'run', '-c', this.configFile];
    this.#process = startOn(this.host, program, ...args);
  }

  /** Starts it and waits until it watches. @throws with its output, where it does not */
  async start(): Promise<void> {
    this.launch();
    if (await eventually(() => this.events('daemon-started').length > 0, START_LIMIT_MS)) return;
    throw new Error(`lvsentry does not start:\n${this.process.lines.join('\n')}`);
  }

  get log(): LogLine[] {
    return this.process.lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  events(kind: string): LogLine[] {
    return this.log.filter((line) => line.kind === kind);
  }

  /** Why servers went down since it was started, in order. */
  get downs(): unknown[] {
    return this.events('server-down').map(({ reason }) => (reason as { kind: unknown }).kind);
  }

  /** How many changes of the table it has made since it was started. */
  get changes(): number {
    return this.log.reduce((sum, line) => sum + (typeof line.applied === 'number' ? line.applied : 0), 0);
  }

  reload(): void {
    process.kill(this.process.pid, 'SIGHUP');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.process.stop(signal);
  }
}
