import fc from 'fast-check';
import t from 'tap';
import { ip, ipFromBytes } from '../../src/core/ip.js';
import { epochMillis } from '../../src/core/units.js';
import { judgeAdvert } from '../../src/vrrp/accept.js';
import { advertOf } from '../../src/vrrp/advert.js';
import type { Auth, InstanceConfig } from '../../src/vrrp/model.js';
import { passwordData, readVrrp, VRRP_GROUP, writeVrrp } from '../../src/wire/vrrp.js';
import { config, ms, rule } from './build.js';

t.test('version 3: interval in hundredths, nothing reserved', async (t) => {
  const three = config({ rule: rule({ interval: ms(1230) }) });
  t.same(advertOf(three, 150), {
    ...{ version: 3, type: 1, vrid: 20, priority: 150, reserved: 0, intervalCentis: 123 },
    addresses: ['10.10.10.100'],
  });
});

t.test('version 2: interval in seconds, eight bytes of password or zeros', async (t) => {
  const two = config({ rule: rule({ version: 2, interval: ms(2000) }) });
  t.match(advertOf(two, 0), { version: 2, priority: 0, authType: 0, intervalSeconds: 2 });
  t.same(advertOf(two, 0), { ...advertOf(two, 0), authData: new Uint8Array(8) });
  const data = passwordData('s3cr3t');
  t.match(advertOf({ ...two, auth: { kind: 'password', data } }, 1), { authType: 1, authData: data });
});

const authArbitrary = fc.constantFrom<Auth>(
  { kind: 'none' },
  { kind: 'password', data: passwordData('s3cr3t') },
);

const configArbitrary: fc.Arbitrary<InstanceConfig> = fc
  .record({
    six: fc.boolean(),
    two: fc.boolean(),
    auth: authArbitrary,
    steps: fc.integer({ min: 1, max: 4095 }),
    vrid: fc.integer({ min: 1, max: 255 }),
    tails: fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 20 }),
    checksum: fc.constantFrom<'message' | 'pseudo-header'>('message', 'pseudo-header'),
  })
  .map(({ six, two, auth, steps, vrid, tails, checksum }) => {
    const version = two && !six ? 2 : 3;
    const prefix = six ? ip('fe80::1') : ip('10.0.0.0');
    const bytes = (tail: number): Uint8Array =>
      six
        ? Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, tail)
        : Uint8Array.of(10, 1, 1, tail);
    return config({
      family: six ? 'ipv6' : 'ipv4',
      vrid,
      rule: rule({ version, interval: ms(version === 2 ? (1 + (steps % 255)) * 1000 : steps * 10) }),
      auth: version === 2 ? auth : { kind: 'none' },
      checksum,
      cast: { kind: 'multicast', group: VRRP_GROUP[six ? 'ipv6' : 'ipv4'], source: prefix },
      addresses: tails.map((tail) => ipFromBytes(bytes(tail))),
    });
  });

t.test(
  'law: what one director sends, another with the same configuration accepts and finds nothing odd',
  async () => {
    fc.assert(
      fc.property(configArbitrary, fc.nat(255), (same, priority) => {
        const six = same.family === 'ipv6';
        const source = six ? ip('fe80::a') : ip('10.0.0.1');
        const envelope = { source, destination: VRRP_GROUP[same.family], hops: 255 };
        const bytes = writeVrrp(advertOf(same, priority), envelope, same.checksum);
        const receiver = { config: same, source: six ? ip('fe80::b') : ip('10.0.0.2'), marks: [] };
        const judged = judgeAdvert(
          receiver,
          { envelope, received: readVrrp(bytes, envelope) },
          epochMillis(0),
          () => 'wrong',
        );
        if (judged.kind !== 'accepted') return false;
        const { advert, oddities } = judged;
        return (
          advert.priority === priority && advert.interval === same.rule.interval && oddities.length === 0
        );
      }),
    );
  },
);
