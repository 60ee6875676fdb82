import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { type Ip, ip, ipFromBytes } from '../../src/core/ip.js';
import { epochMillis } from '../../src/core/units.js';
import {
  type Arrival,
  DISCARD_REASONS,
  type Judgement,
  judgeAdvert,
  type Receiver,
} from '../../src/vrrp/accept.js';
import type { InstanceConfig, Peer } from '../../src/vrrp/model.js';
import type { Envelope, VrrpMessage } from '../../src/vrrp/packet.js';
import { readIpv4 } from '../../src/wire/ipv4.js';
import { passwordData, readVrrp, writeVrrp } from '../../src/wire/vrrp.js';
import { fromHex } from '../wire/vectors.js';
import { backupOf, config, ms, rule, SELF } from './build.js';

const NOW = epochMillis(1_700_000_000_000);
const ETHERNET_LENGTH = 14;

function never(): never {
  throw new Error('the signature was checked');
}

function receiver(changes: Partial<InstanceConfig> = {}): Receiver {
  return { config: config(changes), source: SELF, marks: [] };
}

function judge(to: Receiver, arrival: Arrival): Judgement {
  return judgeAdvert(to, arrival, NOW, never);
}

interface Verdict {
  readonly name: string;
  readonly hex: string;
  readonly receiver: {
    readonly version: 2 | 3;
    readonly vrid: number;
    readonly vips: readonly string[];
    readonly password?: string;
  };
  readonly verdict: string;
}

const VERDICTS = JSON.parse(
  readFileSync(new URL('../../../test/vectors/verdicts.json', import.meta.url), 'utf8'),
) as Verdict[];

/** Ours, where the row does not say plainly accept or discard, and the reason where it does. */
const OURS: Readonly<Record<string, string>> = {
  'v3: ttl 254': 'hops',
  'v3: version 2 packet to v3 instance': 'version',
  'v3: version 4': 'version',
  'v3: type 2': 'type',
  'v3: bad checksum': 'checksum',
  'v3: message-only checksum (RFC 9568)': 'accepted',
  'v3: unknown vrid 99': 'vrid',
  'v3: count 0, no addresses': 'no-addresses',
  'v3: count=2 but 1 address': 'incomplete',
  'v3: 2 addresses (we have 1)': 'accepted other-addresses',
  'v3: different address': 'accepted other-addresses',
  'v3: cut 2 bytes': 'incomplete',
  'v3: 4 trailing bytes in IP': 'too-long',
  'v3: 14 trailing bytes in IP': 'accepted',
  'v3: interval 50': 'accepted other-interval',
  'v3: interval 0': 'no-interval',
  'v2: ttl 1': 'hops',
  'v2: auth 0': 'auth-type',
  'v2: auth 2': 'auth-type',
  'v2: auth 77': 'auth-type',
  'v2: wrong password': 'password',
  'v2: interval 2': 'interval',
  'v2: type 0': 'type',
  'v2: bad checksum': 'checksum',
  'v2: no auth data at all': 'incomplete',
};

function wordOf(judgement: Judgement): string {
  return judgement.kind === 'accepted' ? ['accepted', ...judgement.oddities].join(' ') : judgement.reason;
}

function arrivalOf(hex: string): Arrival {
  const { source, destination, ttl: hops, payload } = readIpv4(fromHex(hex).subarray(ETHERNET_LENGTH));
  const envelope: Envelope = { source, destination, hops };
  return { envelope, received: readVrrp(payload, envelope) };
}

t.test('all 31 packets of verdicts.json are judged as they should be', async (t) => {
  t.equal(VERDICTS.length, 31);
  for (const { name, hex, receiver: asked, verdict } of VERDICTS) {
    const to = receiver({
      vrid: asked.vrid,
      rule: rule({ version: asked.version }),
      auth:
        asked.password === undefined
          ? { kind: 'none' }
          : { kind: 'password', data: passwordData(asked.password) },
      addresses: asked.vips.map((text) => ip(text)),
    });
    const word = wordOf(judge(to, arrivalOf(hex)));
    t.equal(word, OURS[name] ?? 'accepted', `${name} (${verdict})`);
    if (verdict === 'accept') t.match(word, /^accepted/, `${name}: the row says so plainly`);
    if (verdict === 'discard') t.notMatch(word, /^accepted/, `${name}: the row says so plainly`);
  }
});

t.test('the row that a backup with preemption ignores: accepted, and the timer keeps running', async (t) => {
  const row = VERDICTS.find(({ verdict }) => verdict.startsWith('ignore'));
  const judgement = judge(receiver(), arrivalOf(row?.hex ?? ''));
  t.equal(judgement.kind, 'accepted');
  if (judgement.kind !== 'accepted') return;
  const machine = backupOf(rule());
  const before = machine.state;
  machine.step(judgement.advert, 1000);
  t.match(machine.state, { kind: 'backup', masterDownAt: 3609.375 });
  t.same(machine.did, []);
  t.equal(before.kind, 'backup');
});

const PEER = ip('10.0.0.1');
const MULTICAST: Envelope = { source: PEER, destination: ip('224.0.0.18'), hops: 255 };
const MESSAGE: VrrpMessage = {
  version: 3,
  type: 1,
  vrid: 20,
  priority: 100,
  reserved: 0,
  intervalCentis: 100,
  addresses: [ip('10.10.10.100')],
};

function arrival(changes: Partial<VrrpMessage> = {}, envelope: Envelope = MULTICAST): Arrival {
  const message = { ...MESSAGE, ...changes } as VrrpMessage;
  return { envelope, received: readVrrp(writeVrrp(message, envelope, 'pseudo-header'), envelope) };
}

t.test('an accepted message becomes the event of the machine, interval in milliseconds', async (t) => {
  t.match(judge(receiver(), arrival({ priority: 7, intervalCentis: 250 } as Partial<VrrpMessage>)), {
    advert: { kind: 'advert', priority: 7, interval: 2500, source: PEER },
  });
  const two = { ...MESSAGE, version: 2, authType: 0, intervalSeconds: 1, authData: new Uint8Array(8) };
  t.match(judge(receiver({ rule: rule({ version: 2 }) }), arrival(two as Partial<VrrpMessage>)), {
    advert: { kind: 'advert', interval: 1000 },
  });
});

t.test('our own address as sender is a loop or a thief, never news', async (t) => {
  t.match(judge(receiver(), arrival({}, { ...MULTICAST, source: SELF })), { reason: 'own-address' });
});

t.test('multicast: another destination is not for us, and the hops must be 255', async (t) => {
  t.match(judge(receiver(), arrival({}, { ...MULTICAST, destination: SELF })), { reason: 'destination' });
  for (const hops of [0, 1, 254])
    t.match(judge(receiver(), arrival({}, { ...MULTICAST, hops })), { reason: 'hops' });
});

function unicast(peers: readonly Peer[], checkSource = true): Receiver {
  return receiver({ cast: { kind: 'unicast', source: SELF, peers, checkSource } });
}

const TO_US: Envelope = { source: PEER, destination: SELF, hops: 255 };
const near: Peer = { address: PEER, hopsMin: 255, hopsMax: 255 };

t.test('unicast: only peers are heard, on their link, unless told otherwise', async (t) => {
  const stranger: Envelope = { ...TO_US, source: ip('10.0.0.66') };
  const rows: readonly (readonly [string, Receiver, Envelope, string])[] = [
    ['a peer', unicast([near]), TO_US, 'accepted'],
    ['a stranger', unicast([near]), stranger, 'sender'],
    ['a stranger, sources unchecked', unicast([near], false), stranger, 'accepted'],
    ['a peer behind a router', unicast([near]), { ...TO_US, hops: 254 }, 'hops'],
    [
      'a peer allowed behind routers',
      unicast([{ ...near, hopsMin: 250 }]),
      { ...TO_US, hops: 250 },
      'accepted',
    ],
    ['a peer too far', unicast([{ ...near, hopsMin: 250 }]), { ...TO_US, hops: 249 }, 'hops'],
    ['a peer too near', unicast([{ ...near, hopsMin: 1, hopsMax: 254 }]), TO_US, 'hops'],
    ['the group', unicast([near]), { ...TO_US, destination: ip('224.0.0.18') }, 'destination'],
    ['no peers', unicast([]), TO_US, 'sender'],
  ];
  for (const [name, to, envelope, expected] of rows)
    t.equal(wordOf(judge(to, arrival({}, envelope))), expected, name);
});

t.test(
  'version 2: without a password the eight bytes are ignored; AH is another authentication',
  async (t) => {
    const plain = receiver({ rule: rule({ version: 2 }) });
    const two = (authType: number): Arrival =>
      arrival({
        version: 2,
        authType,
        intervalSeconds: 1,
        authData: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      } as Partial<VrrpMessage>);
    t.equal(wordOf(judge(plain, two(0))), 'accepted');
    t.equal(wordOf(judge(plain, two(1))), 'auth-type');
    t.equal(wordOf(judge(plain, two(2))), 'auth-type');
  },
);

t.test('version 2: a password is compared over all eight bytes', async (t) => {
  const to = receiver({
    rule: rule({ version: 2 }),
    auth: { kind: 'password', data: passwordData('12345678') },
  });
  for (let at = 0; at < 8; at += 1) {
    const authData = passwordData('12345678');
    const two = { version: 2, authType: 1, intervalSeconds: 1, authData } as Partial<VrrpMessage>;
    t.equal(wordOf(judge(to, arrival(two))), 'accepted');
    authData[at] = 0;
    t.equal(
      wordOf(judge(to, arrival({ ...two, authData } as Partial<VrrpMessage>))),
      'password',
      `byte ${at}`,
    );
  }
});

t.test('version 2: no addresses is odd, not wrong; an interval of 0 is wrong in both versions', async (t) => {
  const to = receiver({ rule: rule({ version: 2 }) });
  const two = { version: 2, authType: 0, intervalSeconds: 1, authData: new Uint8Array(8) };
  t.equal(
    wordOf(judge(to, arrival({ ...two, addresses: [] } as Partial<VrrpMessage>))),
    'accepted other-addresses',
  );
  t.equal(wordOf(judge(to, arrival({ ...two, intervalSeconds: 0 } as Partial<VrrpMessage>))), 'no-interval');
});

t.test('addresses in another order are the same addresses', async (t) => {
  const mine = ['10.10.10.100', '10.10.10.101', '10.10.10.102'].map((text) => ip(text));
  const to = receiver({ addresses: mine });
  t.equal(wordOf(judge(to, arrival({ addresses: [...mine].reverse() }))), 'accepted');
  t.equal(wordOf(judge(to, arrival({ addresses: mine.slice(1) }))), 'accepted other-addresses');
  const other = [...mine.slice(1), ip('10.10.10.99')];
  t.equal(wordOf(judge(to, arrival({ addresses: other }))), 'accepted other-addresses');
});

t.test('IPv6: the first address should be link-local (RFC 9568 erratum 8300)', async (t) => {
  const envelope: Envelope = { source: ip('fe80::1'), destination: ip('ff02::12'), hops: 255 };
  const judgeSix = (...texts: readonly string[]): string => {
    const addresses = texts.map((text) => ip(text));
    const to = receiver({
      family: 'ipv6',
      addresses,
      cast: { kind: 'multicast', group: ip('ff02::12'), source: undefined },
    });
    return wordOf(judge({ ...to, source: ip('fe80::2') }, arrival({ addresses }, envelope)));
  };
  t.equal(judgeSix('fe80::5', '2001:db8::5'), 'accepted');
  t.equal(judgeSix('2001:db8::5', 'fe80::5'), 'accepted first-not-link-local');
});

t.test('every reason can be had, and says what it means', async (t) => {
  for (const [reason, text] of Object.entries(DISCARD_REASONS)) t.ok(text.length > 20, reason);
});

const bytesArbitrary = fc.uint8Array({ maxLength: 60 });

/** The first bytes of a good advert, so that random tails get past the first checks too. */
const nearlyArbitrary = fc.tuple(fc.nat(20), bytesArbitrary).map(([keep, tail]) => {
  const good = writeVrrp(MESSAGE, MULTICAST, 'pseudo-header');
  return new Uint8Array([...good.subarray(0, keep), ...tail]);
});

t.test('law: random bytes are judged with a reason, and what is accepted is sound', async () => {
  const to = receiver();
  fc.assert(
    fc.property(fc.oneof(bytesArbitrary, nearlyArbitrary), (bytes) => {
      const judgement = judge(to, { envelope: MULTICAST, received: readVrrp(bytes, MULTICAST) });
      if (judgement.kind === 'discarded') return judgement.reason in DISCARD_REASONS;
      return judgement.advert.interval > 0 && bytes[0] === 0x31 && bytes[1] === 20;
    }),
    { numRuns: 5_000 },
  );
});

t.test('law: the envelope alone decides who is heard', async () => {
  const addressArbitrary: fc.Arbitrary<Ip> = fc
    .uint8Array({ minLength: 4, maxLength: 4 })
    .map((bytes) => ipFromBytes(bytes));
  fc.assert(
    fc.property(addressArbitrary, addressArbitrary, fc.nat(255), (source, destination, hops) => {
      const judgement = judge(unicast([near]), arrival({}, { source, destination, hops }));
      const heard = source === PEER && destination === SELF && hops === 255;
      return (judgement.kind === 'accepted') === heard;
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(PEER, SELF), fc.constantFrom(254, 255), (source, hops) => {
      const judgement = judge(unicast([near]), arrival({}, { source, destination: SELF, hops }));
      return (judgement.kind === 'accepted') === (source === PEER && hops === 255);
    }),
  );
  return ms(0);
});
