/**
 * The whole picture with two directors: IPVS, VRRP and the synchronisation of connections by real daemons, a client
 * that never stops, and directors that die, freeze, and are cut off. Everything is asserted from outside: addresses in the
 * kernels, ARP, and what the client got. How long it was interrupted is printed, not asserted.
 */
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import { Director } from '../director.js';
import { Observer, type Talk } from '../observer.js';
import {
  buildPair,
  connectionState,
  cutOff,
  DIRECTORS,
  type DirectorHost,
  daemonRole,
  directorOf,
  holders,
  plugCable,
  pullCable,
  reconnect,
  replaceLink,
} from '../pair.js';
import { httpServer } from '../servers.js';
import { ADDRESSES, runOn, VIP } from '../topology.js';

/** The guest has one processor for all of it. */
const PATIENCE_MS = 30_000;
/** To look costs the guest several processes. */
const LOOK_EVERY_MS = 250;
const LINES_MAX = 20;
const ECHOES = 5;
const REQUESTS = 4;

const PRIORITIES: Readonly<Record<DirectorHost, number>> = { 'director-a': 150, 'director-b': 100 };

function configuration(host: DirectorHost, more: string): string {
  return `
name: ${host}
resync: 2s
defaults: { check: { type: http, interval: 1s, timeout: 900ms, rise: 1, fall: 5 } }
services:
  web: { address: "${VIP}:80", scheduler: rr, servers: [${ADDRESSES.rs1}, ${ADDRESSES.rs2}] }
vrrp:
  outside:
    interface: eth0
    id: 51
    priority: ${PRIORITIES[host]}
    addresses: [${VIP}/24]
    ${more}
sync: { interface: sync0 }
`;
}

interface Lab {
  readonly observer: Observer;
  readonly talk: Talk;
  readonly director: Readonly<Record<DirectorHost, Director>>;
}

function other(director: DirectorHost): DirectorHost {
  return director === 'director-a' ? 'director-b' : 'director-a';
}

/** Exactly this director has the VIP: in the kernels, and for whoever asks. */
async function becomesOnly(t: Assertions, { observer }: Lab, director: DirectorHost): Promise<void> {
  let found = '';
  const isOnly = async (): Promise<boolean> => {
    const answering = (await observer.whoHas()).map(directorOf);
    found = `${holders().join(' and ')} has it, ${answering.join(' and ')} answers`;
    return found === `${director} has it, ${director} answers`;
  };
  await eventually(isOnly, PATIENCE_MS, LOOK_EVERY_MS);
  t.equal(found, `${director} has it, ${director} answers`, 'exactly one director has the VIP');
}

async function takesOver(t: Assertions, director: DirectorHost): Promise<void> {
  const isMaster = (): boolean => holders().includes(director) && daemonRole(director) === 'master';
  t.ok(
    await eventually(isMaster, PATIENCE_MS, LOOK_EVERY_MS),
    `${director} takes over, and tells of its connections`,
  );
}

/** The connection from before still echoes, and new requests succeed. */
async function worksAgain(t: Assertions, { talk, observer }: Lab): Promise<void> {
  const [echoed, answered] = [talk.echoes.length, observer.answers.length];
  const isBack = (): boolean =>
    talk.echoes.length >= echoed + ECHOES && observer.answers.length >= answered + REQUESTS;
  await eventually(() => talk.ended !== undefined || isBack(), PATIENCE_MS);
  t.equal(talk.ended, undefined, 'the connection from before lives on');
  t.ok(talk.echoes.length >= echoed + ECHOES && talk.isWhole, 'and what is said on it comes back, whole');
  const statuses = observer.answers.slice(-REQUESTS).map(({ status }) => status);
  t.strictSame(statuses, new Array(REQUESTS).fill(200), 'new requests succeed');
}

/** Prints how long the client was interrupted by what `body` did. */
async function measured(t: Assertions, name: string, lab: Lab, body: () => Promise<void>): Promise<void> {
  const { talk, observer } = lab;
  const [echoed, answered] = [talk.echoes.length, observer.answers.length];
  await body();
  const since = observer.answers.slice(answered);
  const failed = since.filter(({ status }) => status !== 200).length;
  const silence = Math.round(talk.silenceSince(echoed));
  const pause = Math.round(observer.pauseSince(answered));
  t.comment(
    `${name}: the connection was silent for ${silence} ms, no new request succeeded for ${pause} ms; ${failed} of ${since.length} failed`,
  );
}

/** A connection that a director has told of is known to the other. */
async function isSynchronised(t: Assertions, talk: Talk, backup: DirectorHost): Promise<void> {
  let state: string | undefined;
  await eventually(
    () => {
      state = connectionState(backup, talk.port);
      return state === 'ESTABLISHED';
    },
    PATIENCE_MS,
    LOOK_EVERY_MS,
  );
  t.equal(state, 'ESTABLISHED', `${backup} knows the connection`);
}

/** One step: something happens to `victim`, which is master; the other takes over; `heal` ends it. */
interface Step {
  readonly name: string;
  readonly victim: DirectorHost;
  readonly harm: (lab: Lab) => Promise<void> | void;
  readonly heal: (lab: Lab) => Promise<void> | void;
  /** Who has the VIP in the end. */
  readonly last: DirectorHost;
}

const STEPS: readonly Step[] = [
  {
    name: 'killed',
    victim: 'director-a',
    harm: ({ director }) => director['director-a'].stop('SIGKILL'),
    heal: ({ director }) => director['director-a'].start(),
    last: 'director-b',
  },
  {
    name: 'frozen',
    victim: 'director-b',
    harm: ({ director }) => director['director-b'].process.freeze(),
    heal: ({ director }) => director['director-b'].process.thaw(),
    last: 'director-a',
  },
  {
    name: 'without its cable',
    victim: 'director-a',
    harm: () => pullCable('director-a'),
    heal: () => plugCable('director-a'),
    last: 'director-b',
  },
  {
    name: 'cut off with its link up',
    victim: 'director-b',
    harm: () => cutOff('director-b'),
    heal: () => reconnect('director-b'),
    last: 'director-a',
  },
];

async function runStep(t: Assertions, lab: Lab, { name, victim, harm, heal, last }: Step): Promise<void> {
  await isSynchronised(t, lab.talk, other(victim));
  await measured(t, `${victim} ${name}`, lab, async () => {
    await harm(lab);
    await takesOver(t, other(victim));
    await worksAgain(t, lab);
  });
  await measured(t, `${victim} back`, lab, async () => {
    await heal(lab);
    await becomesOnly(t, lab, last);
    await worksAgain(t, lab);
  });
  await rolesSettle(t, last);
}

async function rolesSettle(t: Assertions, master: DirectorHost): Promise<void> {
  const wanted = DIRECTORS.map((director) => (director === master ? 'master' : 'backup')).join(' ');
  const roles = (): string => DIRECTORS.map(daemonRole).join(' ');
  await eventually(() => roles() === wanted, PATIENCE_MS, LOOK_EVERY_MS);
  t.equal(roles(), wanted, 'one kernel tells, the other hears');
}

/** What the daemons said last, for whoever has to find out why a step failed. */
function explain(t: Assertions, { director }: Lab): void {
  for (const each of Object.values(director))
    t.comment(`${each.host} said last:\n${each.process.lines.slice(-LINES_MAX).join('\n')}`);
}

/** A connection is known to the other director from its first moment, if nothing was said on it yet. */
async function youngConnections(t: Assertions, lab: Lab): Promise<void> {
  const silent = lab.observer.talk('dial');
  await eventually(() => silent.port !== 0 || silent.ended !== undefined, PATIENCE_MS);
  t.equal(silent.ended, undefined, 'it is open');
  await isSynchronised(t, silent, 'director-b');
}

async function repairs(t: Assertions, { director }: Lab): Promise<void> {
  runOn('director-b', 'ipvsadm', '--stop-daemon', 'backup');
  await rolesSettle(t, 'director-a');
  const drift = (): number => director['director-b'].events('table-drift').length;
  t.ok(await eventually(() => drift() > 0, PATIENCE_MS), 'and it is said');
}

/** The kernel goes on listing daemons that lost their interface: from outside they look right. */
async function linkIsReplaced(t: Assertions, lab: Lab): Promise<void> {
  const drifts = (): number[] =>
    DIRECTORS.map((director) => lab.director[director].events('table-drift').length);
  const [a = 0, b = 0] = drifts();
  replaceLink();
  const areSaid = (): boolean => (drifts()[0] ?? 0) > a && (drifts()[1] ?? 0) > b;
  t.ok(await eventually(areSaid, PATIENCE_MS), 'both directors find their daemons without an interface');
  await rolesSettle(t, 'director-a');
  await youngConnections(t, lab);
}

/** Promise 1: a restart adopts what it finds. */
async function backupRestarts(t: Assertions, lab: Lab): Promise<void> {
  const backup = lab.director['director-b'];
  await backup.stop('SIGKILL');
  t.equal(daemonRole('director-b'), 'backup', 'the kernel hears without the daemon');
  await backup.start();
  await eventually(() => backup.events('became-backup').length > 0, PATIENCE_MS);
  await becomesOnly(t, lab, 'director-a');
  await rolesSettle(t, 'director-a');
  t.strictSame([backup.events('sync-role'), backup.changes], [[], 0], 'nothing that was right was written');
}

/** What a director did not hear while it was away it hears before it takes over again. */
async function failback(t: Assertions, lab: Lab): Promise<void> {
  const { director, observer } = lab;
  const [away, host] = [director['director-a'], 'director-a'] as const;
  await away.stop('SIGKILL');
  await takesOver(t, 'director-b');
  const late = observer.talk();
  await eventually(() => late.echoes.length >= ECHOES || late.ended !== undefined, PATIENCE_MS);
  t.equal(connectionState(host, late.port), undefined, 'a connection of which it knows nothing');
  away.configure(configuration(host, 'failback-delay: 6s'));
  await measured(t, `${host} back, and master again`, lab, async () => {
    await away.start();
    await isSynchronised(t, late, host);
    await becomesOnly(t, lab, 'director-b');
    await takesOver(t, host);
    await becomesOnly(t, lab, host);
    await worksAgain(t, lab);
    await worksAgain(t, { ...lab, talk: late });
  });
  await rolesSettle(t, host);
}

async function cleanStop(t: Assertions, lab: Lab): Promise<void> {
  const leaving = lab.director['director-a'];
  const table = runOn('director-a', 'ipvsadm', '-Sn');
  await isSynchronised(t, lab.talk, 'director-b');
  await measured(t, 'director-a stopped', lab, async () => {
    await leaving.stop('SIGTERM');
    await takesOver(t, 'director-b');
    await worksAgain(t, lab);
  });
  t.equal(leaving.process.child.exitCode, 0);
  await becomesOnly(t, lab, 'director-b');
  await rolesSettle(t, 'director-b');
  t.equal(runOn('director-a', 'ipvsadm', '-Sn'), table, 'its table stays as it is');
}

export async function suite(t: Assertions): Promise<void> {
  buildPair();
  const folder = process.env.LAB_SHARED ?? '';
  const make = (host: DirectorHost): Director => new Director(`${folder}/${host}.yaml`, host);
  const director = { 'director-a': make('director-a'), 'director-b': make('director-b') };
  await Promise.all([httpServer('rs1').start(), httpServer('rs2').start()]);
  director['director-a'].configure(configuration('director-a', 'preempt: false'));
  director['director-b'].configure(configuration('director-b', 'preempt: false'));
  await director['director-a'].start();
  await eventually(() => holders().includes('director-a'), PATIENCE_MS);
  await director['director-b'].start();
  const observer = await Observer.start();
  const talk = observer.talk();
  await eventually(() => talk.echoes.length > 0 || talk.ended !== undefined, PATIENCE_MS);
  const lab: Lab = { observer, talk, director };
  const step = async (name: string, body: (t: Assertions, lab: Lab) => Promise<void>): Promise<void> => {
    if ((await t.test(name, (t) => body(t, lab))) === false) explain(t, lab);
  };
  await step('two directors: one has the VIP, the other knows its connections', async (t) => {
    await becomesOnly(t, lab, 'director-a');
    await rolesSettle(t, 'director-a');
    await worksAgain(t, lab);
  });
  await step('a connection is known from its first moment', youngConnections);
  await step('a sync daemon that somebody stopped is started again', repairs);
  await step('the link between the directors is replaced', linkIsReplaced);
  await step('the backup is killed and started again', backupRestarts);
  for (const each of STEPS)
    await step(`the master ${each.victim} is ${each.name}`, (t) => runStep(t, lab, each));
  await step('a director that was away waits until it knows the connections', failback);
  await step('the master is stopped', cleanStop);
}
