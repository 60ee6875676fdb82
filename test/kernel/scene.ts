/** One director with long connections and new requests through its VIP, its API, and somebody who looks at its table. */
import { mkdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { ServerStatus, Servers, ServiceStatus, Status } from '../../src/api/status.js';
import type { Assertions } from '../contract/assertions.js';
import { TableWatch } from './chaos/watch.js';
import { eventually } from './client.js';
import { Director, type LogLine } from './director.js';
import { PROJECT } from './lab.js';
import { Observer, type Talk } from './observer.js';
import type { GuestProcess } from './process.js';
import { httpServer, type TestServer } from './servers.js';
import { buildTopology, runOn, startOn } from './topology.js';

/** The guest has one processor for all of it. */
export const PATIENCE_MS = 60_000;
const ECHOES = 5;
const REQUESTS = 6;
const LINES_MAX = 20;
const TALKS_MORE_MAX = 20;
/** What the probes of the scene ask, so that they alone can be cut off. */
export const CHECK_PORT = 81;

const PROGRAM = join(PROJECT, 'dist/bundle/src/main.js');

/** What `ip_vs` prints of one server of a service of direct routing on port 80. */
export function inTable(service: string, server: string, weight: number): string {
  const hex = (address: string): string =>
    address
      .split('.')
      .map((part) => Number(part).toString(16).toUpperCase().padStart(2, '0'))
      .join('');
  return `${hex(service)}:0050 -> ${hex(server)}:0050 Route ${weight}`;
}

export class Scene {
  readonly director: Director;
  readonly socket: string;

  private constructor(
    readonly folder: string,
    readonly observer: Observer,
    readonly watch: TableWatch,
    readonly servers: Readonly<Record<'rs1' | 'rs2' | 'client', TestServer>>,
  ) {
    this.director = new Director(`${folder}.yaml`);
    this.socket = `/run/lvsentry-${process.pid}.sock`;
  }

  /** Builds the topology; servers listen on ports 80 and `CHECK_PORT`, and the client for probes. */
  static async build(name: string): Promise<Scene> {
    const folder = `${process.env.LAB_SHARED ?? ''}/${name}`;
    mkdirSync(folder, { recursive: true });
    buildTopology();
    // A connection that has ended is to be forgotten soon. Not by the daemon: it puts them back at every stop.
    runOn('director', 'ipvsadm', '--set', '900', '2', '300');
    const servers = {
      rs1: httpServer('rs1', CHECK_PORT),
      rs2: httpServer('rs2', CHECK_PORT),
      client: httpServer('client', CHECK_PORT),
    };
    await Promise.all(Object.values(servers).map((server) => server.start()));
    return new Scene(folder, await Observer.start(), TableWatch.start(), servers);
  }

  /** What every configuration of the scene begins with. */
  get head(): string {
    return `
name: director-a
resync: 1s
cold-start: 5s
api: { listen: "unix:${this.socket}" }
state: { directory: ${this.folder} }
defaults: { check: { type: http, port: ${CHECK_PORT}, interval: 500ms, timeout: 450ms, rise: 1, fall: 2 } }
`;
  }

  /** Runs one test after the other; what one leaves is put away. */
  async runAll(
    t: Assertions,
    tests: readonly (readonly [name: string, test: (t: Assertions, scene: Scene) => Promise<void>])[],
  ): Promise<void> {
    for (const [name, test] of tests) {
      await t.test(name, (t) => test(t, this));
      await this.#putAway();
    }
  }

  /** Starts the daemon with a configuration. */
  async start(t: Assertions, rest: string): Promise<void> {
    this.director.configure(`${this.head}${rest}`);
    await this.restart(t);
  }

  /** Starts it with the configuration that is there. */
  async restart(t: Assertions): Promise<void> {
    await this.director.start();
    t.ok(await eventually(() => this.isReady(), PATIENCE_MS, 200), 'every server has its verdict');
  }

  /** Ends the daemon, and with it what it left in the table and remembers. */
  async #putAway(): Promise<void> {
    await this.director.stop('SIGKILL');
    runOn('director', 'ipvsadm', '-C');
    runOn('director', 'sh', '-c', `rm -rf '${this.folder}'/*`);
  }

  async reload(rest: string): Promise<void> {
    const before = this.director.events('config-reloaded').length;
    this.director.configure(`${this.head}${rest}`);
    this.director.reload();
    if (await eventually(() => this.director.events('config-reloaded').length > before, PATIENCE_MS)) return;
    throw new Error(`not reloaded: ${JSON.stringify(this.director.events('config-refused').at(-1))}`);
  }

  async isReady(): Promise<boolean> {
    try {
      return (await this.ask('/readyz')).includes('"ready":true');
    } catch {
      return false;
    }
  }

  /** What the API answers; with a body it is told something. */
  ask(path: string, body?: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const method = body === undefined ? 'GET' : 'POST';
      const asked = request({ socketPath: this.socket, path, method, headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
        });
        response.once('end', () => resolve(text));
        response.once('error', reject);
      });
      asked.once('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Tells the daemon something about a server. */
  async tell(server: string, verb: string, body: object = {}): Promise<Servers> {
    return JSON.parse(await this.ask(`/v1/servers/${server}/${verb}`, body)) as Servers;
  }

  async status(): Promise<Status> {
    return JSON.parse(await this.ask('/v1/status')) as Status;
  }

  /** The service of the configuration that is called `web`. */
  async web(): Promise<ServiceStatus> {
    return JSON.parse(await this.ask('/v1/services/web')) as ServiceStatus;
  }

  /** One server of `web`. @throws where it has none of that name */
  async server(name: string): Promise<ServerStatus> {
    const { servers, fallback } = await this.web();
    const found = [...servers, ...fallback].find((server) => server.name === name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  }

  /** Waits until a server's status is such. */
  async sees(name: string, holds: (server: ServerStatus) => boolean): Promise<void> {
    // A daemon that was just started does not listen yet.
    const isSo = async (): Promise<boolean> => holds(await this.server(name));
    await eventually(() => isSo().catch(() => false), PATIENCE_MS, 200);
  }

  /** Waits for an event since the start. @returns the last of its kind */
  async event(t: Assertions, kind: string, holds: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const find = (): LogLine | undefined => this.director.events(kind).filter(holds).at(-1);
    if (!t.ok(await eventually(() => find() !== undefined, PATIENCE_MS), `${kind} is told`))
      t.comment(await this.#situation());
    return find() ?? {};
  }

  /** For whoever looks for the reason of a failure. */
  async #situation(): Promise<string> {
    const table = ['-Ln', '-Lnc'].map((words) => runOn('director', 'ipvsadm', words));
    const status = await this.ask('/v1/services/web').catch(String);
    return [...table, status, ...this.director.process.lines.slice(-LINES_MAX)].join('\n');
  }

  /** The command line in a process of its own. */
  lvsentry(...words: readonly string[]): GuestProcess {
    return startOn('director', process.execPath, PROGRAM, ...words, '--url', `unix:${this.socket}`);
  }

  /** Opens so many long connections, and more until each of the two hosts has two at least; waits for them. */
  async talks(t: Assertions, count: number): Promise<readonly Talk[]> {
    const talks = Array.from({ length: count }, () => this.observer.talk());
    const areOpen = (): boolean => talks.every(({ server, echoes }) => server !== '' && echoes.length > 0);
    const lacks = (host: string): boolean => talks.filter(({ server }) => server === host).length < 2;
    let open = await eventually(areOpen, PATIENCE_MS);
    // New requests take turns with them: the hosts' shares are as it happens.
    for (let more = 0; open && more < TALKS_MORE_MAX && (lacks('rs1') || lacks('rs2')); more += 1) {
      talks.push(this.observer.talk());
      open = await eventually(areOpen, PATIENCE_MS);
    }
    t.ok(open, `${talks.length} long connections are open`);
    return talks;
  }

  /** Each of these connections lives, and goes on. */
  async liveOn(t: Assertions, talks: readonly Talk[], name: string): Promise<void> {
    const marks = new Map(talks.map((talk) => [talk, talk.echoes.length]));
    const isBack = (talk: Talk): boolean => talk.echoes.length >= (marks.get(talk) ?? 0) + ECHOES;
    await eventually(() => talks.every((talk) => talk.ended !== undefined || isBack(talk)), PATIENCE_MS);
    const lost = talks.filter((talk) => talk.ended !== undefined || !talk.isWhole || !isBack(talk));
    t.strictSame(
      lost.map(({ server, ended, port }) => `${port} with ${server}: ${ended ?? 'silent'}`),
      [],
      name,
    );
  }

  /** New requests go to these hosts and to no others, and none fails. */
  async newOnes(t: Assertions, hosts: readonly string[], name: string): Promise<void> {
    // What was begun before may have gone elsewhere.
    await this.#answers(2);
    const mark = this.observer.answers.length;
    await this.#answers(REQUESTS);
    t.strictSame([...this.observer.serversSince(mark)].sort(), [...hosts].sort(), name);
  }

  async #answers(count: number): Promise<void> {
    const mark = this.observer.answers.length;
    await eventually(() => this.observer.answers.length >= mark + count, PATIENCE_MS);
  }

  hangUp(talks: readonly Talk[]): void {
    for (const talk of talks) this.observer.hangUp(talk);
  }
}

/** Waits until a program has ended. @returns its exit code */
export async function exitOf(t: Assertions, program: GuestProcess): Promise<number | null> {
  t.ok(await eventually(() => !program.running, PATIENCE_MS), 'it ends');
  return program.child.exitCode;
}
