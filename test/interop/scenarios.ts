/**
 * What happens to a virtual router, one function each. Each begins where the one before it ended; `high` is host a with
 * the higher priority, `low` is host b. What is asserted was seen by the observer.
 */
import type { Test } from 'tap';
import type { Duel } from './duel.js';

const HIGH = { priority: 150, preempt: true };
const LOW = { priority: 100, preempt: true };
const EQUAL = { priority: 120, preempt: true };
/** A backup that would take over does so within four intervals (three, and the skew). */
const ADVERTS_TO_WAIT = 5;
/** Milliseconds between the time of a frame on the bridge and that of whoever waits for it. */
const CLOCK_SLACK = 2;

/** Nobody -> low. */
export async function startUp(t: Test, duel: Duel): Promise<void> {
  const { capture } = duel;
  const since = capture.mark();
  await duel.start('b', LOW);
  await duel.masterIs(t, { master: 'b', why: 'it is alone', since });
  t.equal(capture.adverts(since).filter(({ from }) => from !== 'b').length, 0, 'nobody else speaks');
  const first = capture.claims(since, 'b')[0];
  t.match(
    first,
    { version: duel.mode.version, vrid: 51, priority: LOW.priority, auth: authOf(duel) },
    'its advert says what is configured',
  );
  if (duel.b.peer.name !== 'lvsentry') return;
  const announced = duel.announcements(since, 'b')[0];
  t.ok(Number(first?.at) <= Number(announced?.at), 'we speak before we announce');
}

function authOf({ mode }: Duel): string | undefined {
  if (mode.version === 3) return undefined;
  return mode.password === undefined ? 'none' : 'simple';
}

/** Low -> high. */
export async function higherPreempts(t: Test, duel: Duel): Promise<void> {
  const { capture } = duel;
  const since = capture.mark();
  await duel.start('a', HIGH);
  await duel.masterIs(t, { master: 'a', why: 'its priority is higher', since });
  const first = capture.claims(since, 'a')[0];
  t.equal(first?.priority, HIGH.priority, 'it says its priority');
  t.equal(capture.resignations(since, 'b').length, 0, 'who is preempted does not resign');
  const crossed = capture.claims(since, 'b').filter(({ at }) => at > Number(first?.at));
  t.ok(
    crossed.length <= 2,
    'who is preempted says one last word, which may cross with an advert, and no more',
  );
}

/** High -> low -> high. */
export async function cablePulled(t: Test, duel: Duel): Promise<void> {
  const since = duel.capture.mark();
  await duel.stage.pull('a');
  await duel.masterIs(t, { master: 'b', why: 'the cable of the other one is out', since, isOtherDeaf: true });
  const again = duel.capture.mark();
  await duel.stage.plug('a');
  await duel.masterIs(t, {
    master: 'a',
    why: 'its cable is in again',
    since: again,
    isUnaware: !duel.a.peer.seesCarrier,
  });
}

/** High -> both, each on its side -> high. */
export async function healAfterPartition(t: Test, duel: Duel): Promise<void> {
  const { capture, stage } = duel;
  const since = capture.mark();
  await stage.detach('a');
  await duel.masterIs(t, { master: 'b', why: 'the other one is cut off', since, isOtherDeaf: true });
  const cut = capture.mark();
  await stage.until('the one that is cut off goes on', () => capture.claims(cut, 'a').length > 0);
  t.equal(capture.resignations(since, 'a').length, 0, 'the one that is cut off does not resign');
  const healed = capture.mark();
  await stage.attach('a');
  await stage.until('the higher one is heard again', () => capture.claims(healed, 'a').length > 1);
  await duel.answersAre(['a'], 'the network is whole again');
  t.pass('the higher one is master, and it alone: the network is whole again');
  const last = capture.claims(healed, 'b').length;
  const quiet = capture.mark();
  await stage.until('it goes on', () => capture.claims(quiet, 'a').length >= ADVERTS_TO_WAIT);
  t.equal(capture.claims(healed, 'b').length, last, 'the lower one has yielded for good');
  // lvsentry says a last word when it yields; of others it depends on who speaks first.
  if (duel.b.peer.name === 'lvsentry') t.ok(last > 0, 'the higher one hears that there was another master');
  if (last === 0 || !duel.a.peer.answersLower) return;
  const announces = (): boolean => duel.announcements(healed, 'a').length > 0;
  await stage.until('hosts are told who is master', announces);
  t.pass('hosts are told who is master');
}

/** High -> low. */
export async function masterKilled(t: Test, duel: Duel): Promise<void> {
  const { capture } = duel;
  const since = capture.mark();
  await duel.kill('a');
  const dead = capture.mark();
  await duel.masterIs(t, { master: 'b', why: 'the other one was killed', since: dead, isOtherDead: true });
  t.equal(capture.resignations(since, 'a').length, 0, 'the dead say nothing');
  const last = capture.claims(0, 'a').at(-1);
  const first = capture.claims(dead, 'b')[0];
  const silence = Number(first?.at) - Number(last?.at);
  t.comment(`${duel.b.peer.name} took over ${silence.toFixed(1)} ms after the last advert`);
  t.ok(silence >= leastDownInterval(duel) - CLOCK_SLACK, 'not before its Master_Down_Interval is over');
}

/** RFC 3768 6.1 and RFC 5798 6.1, in milliseconds. FRR counts in hundredths of a second and rounds down. */
function leastDownInterval({ mode }: Duel): number {
  const unit = mode.version === 2 ? 1000 : mode.interval;
  const skew = ((256 - LOW.priority) * unit) / 256;
  return 3 * mode.interval + Math.floor(skew / 10) * 10;
}

/** Low stays. */
export async function noPreempt(t: Test, duel: Duel): Promise<void> {
  const { capture, stage } = duel;
  const since = capture.mark();
  const high = await duel.start('a', { ...HIGH, preempt: false });
  await stage.until('the higher one is backup', () => high.isBackup());
  const listening = capture.mark();
  await stage.until('the lower one goes on', () => capture.claims(listening, 'b').length >= ADVERTS_TO_WAIT);
  t.equal(
    capture.adverts(since).filter(({ from }) => from === 'a').length,
    0,
    'the higher one does not speak',
  );
  await duel.answersAre(['b'], 'what the dead one left behind is gone');
  t.pass('the lower one stays master, and it alone answers');
}

/** Low -> high, which does not preempt but takes what is given up. */
export async function masterStopped(t: Test, duel: Duel): Promise<void> {
  const { capture } = duel;
  const since = capture.mark();
  await duel.stop('b');
  await duel.masterIs(t, { master: 'a', why: 'the other one resigned', since });
  const resigned = capture.resignations(since, 'b')[0];
  t.ok(resigned, 'priority 0 is said');
  const first = capture.claims(since, 'a')[0];
  t.ok(Number(resigned?.at) < Number(first?.at), 'before the other one takes over');
  const after = capture.claims(since, 'b').filter(({ at }) => at > Number(resigned?.at));
  t.equal(after.length, 0, 'who resigned does not speak again');
}

/** High -> nobody. */
export async function lastStopped(t: Test, duel: Duel): Promise<void> {
  const since = duel.capture.mark();
  await duel.stop('a');
  await duel.stage.until('priority 0 is said', () => duel.capture.resignations(since, 'a').length > 0);
  await duel.answersAre([], 'all have stopped');
  t.pass('nobody has the virtual IP when all have stopped');
}

/** Nobody -> both, each on its side -> b, whose address is higher. */
export async function tie(t: Test, duel: Duel): Promise<void> {
  const { capture, stage } = duel;
  const since = capture.mark();
  await stage.detach('a');
  await duel.start('a', EQUAL);
  await duel.start('b', EQUAL);
  await stage.until('both are master', () =>
    (['a', 'b'] as const).every((host) => capture.claims(since, host).length > 1),
  );
  const healed = capture.mark();
  await stage.attach('a');
  await stage.until('b is heard', () => capture.claims(healed, 'b').length > 1);
  await duel.answersAre(['b'], 'its address is the higher one');
  const last = capture.claims(healed, 'a').length;
  const quiet = capture.mark();
  await stage.until('it goes on', () => capture.claims(quiet, 'b').length >= ADVERTS_TO_WAIT);
  t.equal(capture.claims(healed, 'a').length, last, 'the one with the lower address has yielded for good');
}
