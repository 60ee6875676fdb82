/**
 * `npm run demo -- directors`: two directors and a client in network namespaces, with real interfaces, ARP and adverts.
 * What can go wrong goes wrong, one after the other; after each step it is told who has the virtual IP in the kernel's
 * words, where the client's ARP cache believes it to be, and how long the client got no answer.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NATIVE_FILE } from '../build-native.mjs';
import { run, Stop, say } from '../lib/process.mjs';
import { Director, PORT, PROGRAM, VIP } from './director.mjs';
import { Network, removeLeftovers } from './network.mjs';

const CLIENT = fileURLToPath(new URL('./asking-client.mjs', import.meta.url));
const FOLDER = 'lvsentry-directors-';
const LIMIT_MS = 90_000;
const POLL_MS = 20;
/** A step is over when what it led to has stood so long; a person reads meanwhile. */
const STEADY_MS = 1_500;

const HOSTS = {
  a: { address: '10.88.0.1/24', number: 10 },
  b: { address: '10.88.0.2/24', number: 11 },
  client: { address: '10.88.0.9/24', number: 12 },
};

const BOTH = ['page', 'daemon'];

/**
 * The story. `holders`: who has the virtual IP afterwards; `answers`: whose page the client gets.
 * @type {readonly {title: string, act: (stage: Stage) => unknown, holders: string[], answers: string, note?: string}[]}
 */
const STEPS = [
  {
    title: 'a director dies: SIGKILL for all that runs on a',
    act: ({ a }) => a.end('SIGKILL', ...BOTH),
    holders: ['a', 'b'],
    answers: 'b',
    note: "a's kernel still has the virtual IP; b has announced it, so nobody asks a any more",
  },
  {
    title: 'a is started again',
    act: (stage) => stage.startDirector(stage.a),
    holders: ['a'],
    answers: 'a',
  },
  {
    title: 'a freezes: SIGSTOP for all that runs on a',
    act: ({ a }) => a.signal('SIGSTOP', ...BOTH),
    holders: ['a', 'b'],
    answers: 'b',
    note: 'a cannot take it away: it does not run',
  },
  {
    title: 'a wakes up and believes to be master: SIGCONT',
    act: ({ a }) => a.signal('SIGCONT', ...BOTH),
    holders: ['a'],
    answers: 'a',
  },
  {
    title: "a's cable is pulled",
    act: ({ network }) => network.setCable('a', false),
    holders: ['b'],
    answers: 'b',
  },
  {
    title: "a's cable is plugged in again",
    act: ({ network }) => network.setCable('a', true),
    holders: ['a'],
    answers: 'a',
  },
  {
    title: 'the network falls apart: a has a link, but nobody hears it',
    act: ({ network }) => network.setBridged('a', false),
    holders: ['a', 'b'],
    answers: 'b',
    note: 'two masters, each on its side: no protocol can know better',
  },
  {
    title: 'the network is whole again',
    act: ({ network }) => network.setBridged('a', true),
    holders: ['a'],
    answers: 'a',
  },
  {
    title: `somebody deletes the virtual IP on a: ip addr del ${VIP}/24 dev eth0`,
    act: ({ network }) => network.in('a', 'ip', 'addr', 'del', `${VIP}/24`, 'dev', 'eth0'),
    holders: ['a'],
    answers: 'a',
  },
  {
    title: "a's page dies, lvsentry lives: a reaches 0 of 1 real servers, which costs it 60 points",
    act: ({ a }) => a.end('SIGKILL', 'page'),
    holders: ['b'],
    answers: 'b',
  },
  {
    title: "a's page is back",
    act: ({ a }) => a.startPage(),
    holders: ['a'],
    answers: 'a',
  },
  {
    title: 'lvsentry on a is stopped in order: SIGTERM',
    act: ({ a }) => a.end('SIGTERM', 'daemon'),
    holders: ['b'],
    answers: 'b',
  },
];

class Interrupted extends Error {}

class Stage {
  network = new Network();
  #folder = join(tmpdir(), `${FOLDER}${process.pid}`);
  #answers = [];
  #isInterrupted = false;

  interrupt() {
    this.#isInterrupted = true;
  }

  /** @throws Stop, Interrupted */
  async until(what, condition) {
    const end = performance.now() + LIMIT_MS;
    while (!condition()) {
      if (this.#isInterrupted) throw new Interrupted();
      if (performance.now() > end) throw new Stop(`not within ${LIMIT_MS / 1000} s: ${what}`);
      await sleep(POLL_MS);
    }
  }

  /** @throws Stop, Interrupted */
  async start() {
    mkdirSync(this.#folder, { mode: 0o700 });
    this.network.build(HOSTS);
    const place = { network: this.network, folder: this.#folder, say };
    this.a = new Director(place, { name: 'a', own: '10.88.0.1', priority: 150 });
    this.b = new Director(place, { name: 'b', own: '10.88.0.2', priority: 100 });
    this.network.start('client', [process.execPath, CLIENT, VIP, String(PORT)], (line) =>
      this.#answers.push(JSON.parse(line)),
    );
    await this.startDirector(this.a);
    await this.startDirector(this.b);
  }

  /** @throws Stop where it ends instead, Interrupted */
  async startDirector(director) {
    director.startPage();
    director.startDaemon();
    const { socket } = director;
    await this.until(`lvsentry on ${director.name} is ready`, () => {
      const trouble = director.trouble();
      if (trouble !== undefined) throw new Stop(trouble);
      return existsSync(socket);
    });
  }

  #areHolders(wanted) {
    return ['a', 'b'].every((host) => this.network.has(host, VIP) === wanted.includes(host));
  }

  #isSteady(answers) {
    const since = Date.now() - STEADY_MS;
    const recent = this.#answers.filter(({ at }) => at > since);
    const isSteadyFrom = this.#answers.findLast(({ at }) => at <= since)?.who === answers;
    return isSteadyFrom && recent.length > 0 && recent.every(({ who }) => who === answers);
  }

  /** Waits for what a step leads to, and tells what of it can be seen from outside. @throws Stop, Interrupted */
  async watch({ holders, answers, note }, since) {
    await this.until(`${holders.join(' and ')} with the virtual IP, ${answers} answering the client`, () => {
      return Date.now() > since + STEADY_MS && this.#isSteady(answers) && this.#areHolders(holders);
    });
    const mac = this.network.neighbour('client', VIP);
    const owner = Object.keys(HOSTS).find(
      (host) => this.network.in(host, 'cat', '/sys/class/net/eth0/address') === mac,
    );
    say(`  ${VIP} is on ${holders.join(' and ')}; the client's ARP cache: ${mac}, which is ${owner}`);
    if (note !== undefined) say(`  (${note})`);
    say(`  the client: ${this.#gapText(since, answers)}\n`);
  }

  /** The longest time without an answer since an instant, and who answers now. */
  #gapText(since, answers) {
    const first = this.#answers.findLastIndex(({ at }) => at <= since);
    const seen = this.#answers.slice(Math.max(first, 0));
    const longest = seen.slice(1).reduce((most, { at }, index) => Math.max(most, at - seen[index].at), 0);
    const before = seen[0]?.who ?? answers;
    const who = before === answers ? `${answers} answers` : `${before} answered, then ${answers}`;
    return `${who}; the longest time without an answer was ${longest} ms`;
  }

  /** What an operator sees. */
  showStatus({ socket, name }) {
    const { output } = run(process.execPath, [PROGRAM, 'vrrp', '--url', `unix:${socket}`]);
    say(`$ lvsentry vrrp      (on ${name})\n${output}\n`);
  }

  end() {
    this.network.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @throws Stop where it cannot run here */
function checkPlace() {
  if (process.platform !== 'linux' || process.getuid() !== 0)
    throw new Stop(
      'two directors need network namespaces: run `npm run demo -- directors` as root, on Linux. `npm start` needs neither',
    );
  for (const file of [PROGRAM, NATIVE_FILE])
    if (!existsSync(file)) throw new Stop('lvsentry is not built yet: run `npm run setup`');
}

/** Folders of demos that were killed. */
function removeOldFolders() {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${FOLDER}(\\d+)$`).exec(name)?.[1]);
    const path = join(tmpdir(), name);
    const found = pid > 0 && !existsSync(`/proc/${pid}`) ? lstatSync(path) : undefined;
    if (found?.isDirectory() && found.uid === process.getuid())
      rmSync(path, { recursive: true, force: true });
  }
}

async function play(stage) {
  say(
    `two directors, a (priority 150) and b (100), with an advert every 100 ms, and a client on one network;`,
  );
  say(`the virtual IP is ${VIP}, where each director has a page that says its name\n`);
  say('1. both are started');
  const since = Date.now();
  await stage.start();
  await stage.watch({ holders: ['a'], answers: 'a' }, since);
  stage.showStatus(stage.a);
  for (const [index, step] of STEPS.entries()) {
    say(`${index + 2}. ${step.title}`);
    const from = Date.now();
    await step.act(stage);
    await stage.watch(step, from);
  }
  stage.showStatus(stage.b);
}

/**
 * Plays the story to its end, or until a signal comes.
 * @returns {Promise<number>} the exit code
 * @throws Stop where it cannot run here, or something did not happen
 */
export async function runDirectorsDemo() {
  checkPlace();
  process.stdout.on('error', () => undefined);
  removeLeftovers();
  removeOldFolders();
  const stage = new Stage();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stage.interrupt());
  try {
    await play(stage);
  } catch (thrown) {
    if (!(thrown instanceof Interrupted)) throw thrown;
    say('the demo was ended early');
    return 130;
  } finally {
    stage.end();
    say('nothing is left behind: every process is ended, every namespace removed');
  }
  return 0;
}
