import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { type Ip, ip } from '../../src/core/ip.js';
import { type EpochMillis, epochMillis } from '../../src/core/units.js';
import { type Judgement, judgeAdvert, type Receiver } from '../../src/vrrp/accept.js';
import { isReplay, isStale, nextSequence, type ReplayMarks, remember } from '../../src/vrrp/hmac.js';
import type { HmacMode, HmacRule } from '../../src/vrrp/model.js';
import type { Envelope } from '../../src/vrrp/packet.js';
import { readVrrp, writeVrrp } from '../../src/wire/vrrp.js';
import { checkTrailer, type Hmac, signVrrp } from '../../src/wire/vrrp-trailer.js';
import { config, ms, SELF } from './build.js';

const T0 = 1_700_000_000_000;
const timed: HmacRule = { mode: 'enforce', activeKey: 1, antiReplay: 'time', window: ms(5000) };
const growing: HmacRule = { ...timed, antiReplay: 'monotonic' };

function at(milliseconds: number): EpochMillis {
  return epochMillis(T0 + milliseconds);
}

const seconds = (sequence: bigint): number => Number(sequence >> 32n);

t.test('a sequence is the clock: seconds, 65536ths, counter', async (t) => {
  t.equal(nextSequence(timed, 0n, at(500)), (BigInt(T0 / 1000) << 32n) | (0x8000n << 16n));
});

t.test('while the clock stands still the counter grows, and carries', async (t) => {
  const first = nextSequence(timed, 0n, at(0));
  t.equal(nextSequence(timed, first, at(0)), first + 1n);
  t.equal(nextSequence(timed, first | 0xffffn, at(0)), (first | 0xffffn) + 1n);
  t.equal(nextSequence(growing, (1n << 64n) - 1n, at(0)) < 1n << 64n, true, 'and wraps within 64 bits');
});

t.test('a clock that was set back: within the window it counts on, beyond it time begins anew', async (t) => {
  const ahead = nextSequence(timed, 0n, at(86_400_000));
  t.equal(nextSequence(timed, ahead, at(86_400_000 - 4000)), ahead + 1n);
  t.equal(nextSequence(timed, ahead, at(86_400_000 - 5000)), ahead + 1n);
  t.equal(seconds(nextSequence(timed, ahead, at(0))), T0 / 1000, 'else every receiver refused it for a day');
  t.equal(nextSequence(growing, ahead, at(0)), ahead + 1n, 'growing only ever grows');
});

t.test(
  'time that is further away than the window is stale, on both sides; growth has no window',
  async (t) => {
    const sequence = nextSequence(timed, 0n, at(0));
    for (const [delta, stale] of [
      [0, false],
      [5000, false],
      [6000, true],
      [-5000, false],
      [-6000, true],
    ] as const) {
      t.equal(isStale(timed, sequence, at(delta)), stale, `${delta} ms`);
      t.equal(isStale(growing, sequence, at(delta)), false);
    }
  },
);

t.test('what does not grow is a replay, of that sender alone', async (t) => {
  const [a, b] = [ip('10.0.0.1'), ip('10.0.0.3')];
  const sequence = nextSequence(timed, 0n, at(0));
  const marks = remember([], a, sequence, 1);
  t.equal(isReplay(timed, marks, a, sequence, at(0)), true);
  t.equal(isReplay(timed, marks, a, sequence - 1n, at(0)), true);
  t.equal(isReplay(timed, marks, a, sequence + 1n, at(0)), false);
  t.equal(isReplay(timed, marks, b, sequence, at(0)), false);
});

t.test('a mark outside the window refuses nothing: its sender had its clock set', async (t) => {
  const a = ip('10.0.0.1');
  const future = nextSequence(timed, 0n, at(86_400_000));
  const marks = remember([], a, future, 1);
  t.equal(isReplay(timed, marks, a, nextSequence(timed, 0n, at(0)), at(0)), false);
  t.equal(isReplay(growing, marks, a, nextSequence(timed, 0n, at(0)), at(0)), true);
});

t.test('marks are bounded: four senders, or as many as there are peers; the oldest goes', async (t) => {
  const senders = Array.from({ length: 9 }, (_, index) => ip(`10.0.0.${index}`));
  const fill = (peers: number): ReplayMarks =>
    senders.reduce<ReplayMarks>((marks, source) => remember(marks, source, 1n, peers), []);
  t.same(
    fill(0).map(({ source }) => source),
    senders.slice(-4),
  );
  t.equal(fill(7).length, 7);
  const again = remember(fill(0), senders[5] ?? SELF, 2n, 0);
  t.same([again.length, again.at(-1)], [4, { source: senders[5], sequence: 2n }]);
});

t.test('law: the sequences of one sender grow while its clock does not jump back', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2000), { minLength: 2, maxLength: 50 }), (delays) => {
      let [now, last, grows] = [0, 0n, true];
      for (const delay of delays) {
        now += delay;
        const next = nextSequence(timed, last, at(now));
        grows &&= next > last;
        last = next;
      }
      return grows;
    }),
  );
});

const KEYS: Readonly<Record<number, string>> = { 1: 'k'.repeat(32), 2: 'l'.repeat(32) };
const mac =
  (keys: Readonly<Record<number, string>>): Hmac =>
  (keyId, data) => {
    const key = keys[keyId];
    return key === undefined ? undefined : createHmac('sha256', key).update(data).digest();
  };

const PEER = ip('10.0.0.1');

interface Sent {
  readonly keyId?: number;
  readonly keys?: Readonly<Record<number, string>>;
  readonly sequence?: bigint;
  readonly source?: Ip;
  readonly signed?: boolean;
  readonly spoil?: (bytes: Uint8Array) => void;
}

/** A peer's advert as bytes, judged by us. */
function hear(
  mode: HmacMode,
  sent: Sent,
  marks: ReplayMarks = [],
  antiReplay: HmacRule['antiReplay'] = 'time',
): Judgement {
  const envelope: Envelope = { source: sent.source ?? PEER, destination: ip('224.0.0.18'), hops: 255 };
  const fields = { version: 3, type: 1, vrid: 20, priority: 100, reserved: 0, intervalCentis: 100 } as const;
  const message = writeVrrp({ ...fields, addresses: [ip('10.10.10.100')] }, envelope, 'pseudo-header');
  const key = { keyId: sent.keyId ?? 1, sequence: sent.sequence ?? nextSequence(timed, 0n, at(0)) };
  const bytes = sent.signed === false ? message : signVrrp(message, envelope, key, mac(sent.keys ?? KEYS));
  sent.spoil?.(bytes);
  const rule: HmacRule = { mode, activeKey: 1, antiReplay, window: ms(5000) };
  const to: Receiver = { config: config({ auth: { kind: 'hmac', rule } }), source: SELF, marks };
  return judgeAdvert(to, { envelope, received: readVrrp(bytes, envelope) }, at(0), () =>
    checkTrailer(bytes, envelope, mac(KEYS)),
  );
}

const wordOf = (judgement: Judgement): string =>
  judgement.kind === 'accepted' ? 'accepted' : judgement.reason;

t.test('a signed advert is judged by every mode', async (t) => {
  const stale = nextSequence(timed, 0n, at(-60_000));
  const rows: readonly (readonly [string, Sent, string])[] = [
    ['rightly signed', {}, 'accepted'],
    ['with the other key, during a rotation', { keyId: 2 }, 'accepted'],
    ['with a key that we have not', { keyId: 3, keys: { 3: 'm'.repeat(32) } }, 'unknown-key'],
    ['with another key under our id', { keys: { 1: 'x'.repeat(32) } }, 'forged'],
    ['of another minute', { sequence: stale }, 'stale'],
    ['of an unknown type', { spoil: (bytes) => bytes.set([2], 12) }, 'bad-trailer'],
    ['with reserved bits', { spoil: (bytes) => bytes.set([1], 14) }, 'bad-trailer'],
  ];
  for (const mode of ['enforce', 'permissive', 'receive-only'] as const) {
    for (const [name, sent, expected] of rows)
      t.equal(wordOf(hear(mode, sent)), expected, `${mode}: ${name}`);
  }
});

t.test('an unsigned advert is refused only where signatures are enforced', async (t) => {
  t.equal(wordOf(hear('enforce', { signed: false })), 'unsigned');
  t.equal(wordOf(hear('permissive', { signed: false })), 'accepted');
  t.equal(wordOf(hear('receive-only', { signed: false })), 'accepted');
});

t.test('an accepted advert leaves a mark; the same bytes again are a replay', async (t) => {
  const first = hear('enforce', {});
  if (first.kind !== 'accepted') throw new Error(first.reason);
  t.match(first.marks, [{ source: PEER }]);
  t.equal(wordOf(hear('enforce', {}, first.marks)), 'replayed');
  const next = (first.marks[0]?.sequence ?? 0n) + 1n;
  t.equal(wordOf(hear('enforce', { sequence: next }, first.marks)), 'accepted');
  const other = hear('enforce', { source: ip('10.0.0.3') }, first.marks);
  t.equal(wordOf(other), 'accepted', 'another sender has its own sequence');
  t.equal(wordOf(hear('permissive', { signed: false }, first.marks)), 'accepted');
});

t.test('by growth alone time does not matter, a replay does', async (t) => {
  const old = nextSequence(timed, 0n, at(-86_400_000));
  const first = hear('enforce', { sequence: old }, [], 'monotonic');
  t.equal(wordOf(first), 'accepted');
  const marks = first.kind === 'accepted' ? first.marks : [];
  t.equal(wordOf(hear('enforce', { sequence: old }, marks, 'monotonic')), 'replayed');
});

t.test('a stale flood costs no MAC', async (t) => {
  let made = 0;
  const envelope: Envelope = { source: PEER, destination: ip('224.0.0.18'), hops: 255 };
  const fields = { version: 3, type: 1, vrid: 20, priority: 100, reserved: 0, intervalCentis: 100 } as const;
  const message = writeVrrp({ ...fields, addresses: [ip('10.10.10.100')] }, envelope, 'message');
  const bytes = signVrrp(message, envelope, { keyId: 1, sequence: 1n }, mac(KEYS));
  const to: Receiver = { config: config({ auth: { kind: 'hmac', rule: timed } }), source: SELF, marks: [] };
  const judgement = judgeAdvert(to, { envelope, received: readVrrp(bytes, envelope) }, at(0), () => {
    made += 1;
    return 'good';
  });
  t.same([wordOf(judgement), made], ['stale', 0]);
});

t.test('a signature where none is configured makes the message too long', async (t) => {
  const envelope: Envelope = { source: PEER, destination: ip('224.0.0.18'), hops: 255 };
  const fields = { version: 3, type: 1, vrid: 20, priority: 100, reserved: 0, intervalCentis: 100 } as const;
  const message = writeVrrp({ ...fields, addresses: [ip('10.10.10.100')] }, envelope, 'message');
  const bytes = signVrrp(message, envelope, { keyId: 1, sequence: 1n }, mac(KEYS));
  const to: Receiver = { config: config(), source: SELF, marks: [] };
  const judgement = judgeAdvert(to, { envelope, received: readVrrp(bytes, envelope) }, at(0), () => 'good');
  t.equal(wordOf(judgement), 'too-long');
});
