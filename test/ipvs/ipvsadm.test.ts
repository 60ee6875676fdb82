import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { operationWords, saveLines, saveLosses, sortedTable } from '../../src/ipvs/ipvsadm.js';
import { destText, serviceText } from '../../src/ipvs/keys.js';
import type {
  Dest,
  DestSeen,
  Forward,
  ObservedService,
  ObservedTable,
  Operation,
  Service,
  ServiceKey,
} from '../../src/ipvs/model.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';
import { readSave } from './read-save.js';

const GOLDEN = new URL('../../../test/ipvs/ipvsadm/', import.meta.url);
const golden = (name: string): string => readFileSync(new URL(name, GOLDEN), 'utf8');

/** Brings a table into the order of `ipvsadm -Ln --nosort`, which is the order of the kernel's dump. */
function inDumpOrder(table: ObservedTable, list: string): ObservedTable {
  const ordered = new Map<string, ObservedService>();
  let dests = new Map<string, DestSeen>();
  let from: ObservedService | undefined;
  for (const line of list.split('\n').slice(3)) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '->') {
      const dest = from?.dests.get(words[1] ?? '');
      if (dest !== undefined) dests.set(destText(dest.key), dest);
    } else if (words.length > 1) {
      const mark = `fwmark ${Number(words[1]) >>> 0} ${words[2] === 'IPv6' ? 'ipv6' : 'ipv4'}`;
      const name = words[0] === 'FWM' ? mark : `${(words[0] ?? '').toLowerCase()} ${words[1]}`;
      from = table.get(name);
      dests = new Map();
      if (from !== undefined) ordered.set(name, { service: from.service, dests });
    }
  }
  return ordered;
}

for (const name of ['every', 'random']) {
  t.test(`prints the table "${name}" byte for byte as ipvsadm 1.31 printed it`, async (t) => {
    const save = golden(`${name}.save`);
    const table = inDumpOrder(readSave(save), golden(`${name}.list`));
    t.equal(table.size, save.match(/^-A /gm)?.length, 'every service was found in the list');
    t.not([...table.keys()].join(), [...readSave(save).keys()].join(), 'the dump is not sorted already');
    t.equal(`${saveLines(table).join('\n')}\n`, save);
  });
}

t.test('an empty table is no lines', async (t) => {
  t.same(saveLines(new Map()), []);
  t.same(saveLosses(new Map()), []);
});

const WEB: ServiceKey = { kind: 'address', protocol: 'tcp', address: ip('192.0.2.1'), port: 80 };
const MARK6: ServiceKey = { kind: 'fwmark', family: 'ipv6', mark: 9 };
const NO_FLAGS = { flag1: false, flag2: false, flag3: false };

function service(key: ServiceKey, settings: Partial<Service['settings']> = {}): Service {
  return {
    key,
    settings: {
      scheduler: 'wlc',
      schedulerFlags: NO_FLAGS,
      onePacket: false,
      persistence: undefined,
      persistenceEngine: undefined,
      ...settings,
    },
  };
}

function dest(address: string, port: number, settings: Partial<Dest['settings']> = {}): Dest {
  return {
    key: { address: ip(address), port },
    settings: {
      forward: { method: 'direct' },
      weight: 1,
      upperThreshold: 0,
      lowerThreshold: 0,
      ...settings,
    },
  };
}

function seen(of: Service, ...dests: Dest[]): ObservedTable {
  const map = new Map(
    dests.map((each): [string, DestSeen] => [
      destText(each.key),
      { ...each, active: 0, inactive: 0, persistent: 0, stats: ZERO_STATS },
    ]),
  );
  return new Map([[serviceText(of.key), { service: { ...of, stats: ZERO_STATS }, dests: map }]]);
}

const persistent = { persistence: { timeoutSeconds: 300, prefix: 32 } };
const gue: Forward = { method: 'tunnel', type: 'gue', port: 6080, checksum: 'remote-checksum' };
const COMMANDS: readonly (readonly [Operation, string])[] = [
  [{ kind: 'add-service', service: service(WEB, persistent) }, '-A -t 192.0.2.1:80 -s wlc -p 300'],
  [{ kind: 'edit-service', service: service(WEB) }, '-E -t 192.0.2.1:80 -s wlc'],
  [{ kind: 'delete-service', key: WEB }, '-D -t 192.0.2.1:80'],
  [{ kind: 'delete-service', key: MARK6 }, '-D -f 9 -6'],
  [
    { kind: 'add-service', service: service({ kind: 'fwmark', family: 'ipv4', mark: 0xffffffff }) },
    '-A -f 4294967295 -s wlc',
  ],
  [
    {
      kind: 'add-service',
      service: service(WEB, { scheduler: 'sh', schedulerFlags: { flag1: false, flag2: true, flag3: true } }),
    },
    '-A -t 192.0.2.1:80 -s sh -b sh-port,flag-3',
  ],
  [
    {
      kind: 'add-service',
      service: service(
        { kind: 'address', protocol: 'udp', address: ip('2001:db8::1'), port: 5060 },
        { persistence: { timeoutSeconds: 60, prefix: 64 }, persistenceEngine: 'sip', onePacket: true },
      ),
    },
    '-A -u [2001:db8::1]:5060 -s wlc -p 60 -M 64 --pe sip -o',
  ],
  [
    { kind: 'add-dest', service: WEB, dest: dest('192.0.2.2', 80, { weight: 0 }) },
    '-a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 0',
  ],
  [
    {
      kind: 'edit-dest',
      service: WEB,
      dest: dest('192.0.2.2', 8080, {
        forward: { method: 'masquerade' },
        upperThreshold: 100,
        lowerThreshold: 50,
      }),
    },
    '-e -t 192.0.2.1:80 -r 192.0.2.2:8080 -m -w 1 -x 100 -y 50',
  ],
  [
    { kind: 'add-dest', service: MARK6, dest: dest('2001:db8::2', 0, { forward: gue }) },
    '-a -f 9 -6 -r [2001:db8::2]:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum',
  ],
  [
    { kind: 'delete-dest', service: WEB, dest: { address: ip('192.0.2.2'), port: 80 } },
    '-d -t 192.0.2.1:80 -r 192.0.2.2:80',
  ],
];

t.test('an operation is the command line that an operator would type', async (t) => {
  for (const [operation, words] of COMMANDS) {
    t.equal(operationWords(operation), words);
  }
});

t.test(
  'a netmask is a dotted mask for IPv4 and a length for IPv6, and absent where it is the whole',
  async (t) => {
    const words = (key: ServiceKey, prefix: number): string => {
      const persistence = { timeoutSeconds: 1, prefix };
      return operationWords({ kind: 'add-service', service: service(key, { persistence }) })
        .split(' ')
        .slice(-2)
        .join(' ');
    };
    t.equal(words(WEB, 32), '-p 1');
    t.equal(words(WEB, 31), '-M 255.255.255.254');
    t.equal(words(WEB, 20), '-M 255.255.240.0');
    t.equal(words(WEB, 1), '-M 128.0.0.0');
    t.equal(words(MARK6, 128), '-p 1');
    t.equal(words(MARK6, 32), '-M 32');
  },
);

t.test('names each loss of the save format, and nothing else', async (t) => {
  const sh = { scheduler: 'sh', schedulerFlags: { flag1: true, flag2: false, flag3: true } };
  const cases: readonly (readonly [ObservedTable, RegExp | undefined])[] = [
    [seen(service(WEB, persistent), dest('192.0.2.2', 80, { forward: gue })), undefined],
    [seen(service(WEB, { ...sh, scheduler: 'wlc' })), undefined],
    [seen(service(WEB, sh)), /^tcp 192\.0\.2\.1:80: the third flag of scheduler sh/],
    [
      seen(service(WEB), dest('192.0.2.2', 80, { upperThreshold: 5 })),
      /^tcp .*:80 -> 192\.0\.2\.2:80: .*thresholds/,
    ],
    [
      seen(service({ kind: 'fwmark', family: 'ipv4', mark: 0x80000000 })),
      /^fwmark 2147483648 ipv4: .*negative/,
    ],
    [seen(service({ kind: 'fwmark', family: 'ipv4', mark: 0x7fffffff })), undefined],
  ];
  for (const [table, expected] of cases) {
    const losses = saveLosses(table);
    t.equal(losses.length, expected === undefined ? 0 : 1);
    if (expected !== undefined) t.match(losses[0], expected);
  }
});

t.test('a table without losses is the same after save and read', async (t) => {
  const address = fc
    .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255))
    .map(([a, b, c]) => ip(`${a}.${b}.${c}.1`));
  const forward = fc.constantFrom<Forward>(
    { method: 'direct' },
    { method: 'masquerade' },
    { method: 'tunnel', type: 'ipip', port: 0, checksum: 'none' },
    { method: 'tunnel', type: 'gre', port: 0, checksum: 'checksum' },
    gue,
  );
  const anyDest = fc
    .record({ address, port: fc.nat(65535), forward, weight: fc.nat(0x7fffffff) })
    .map((each) => dest(each.address, each.port, { forward: each.forward, weight: each.weight }));
  const anyService = fc
    .record({
      address,
      port: fc.nat(65535),
      protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
      onePacket: fc.boolean(),
      prefix: fc.integer({ min: 1, max: 32 }),
      timeoutSeconds: fc.nat(86400),
    })
    .map((each) =>
      service(
        { kind: 'address', protocol: each.protocol, address: each.address, port: each.port },
        {
          onePacket: each.onePacket,
          persistence: each.timeoutSeconds === 0 ? undefined : each,
        },
      ),
    );
  fc.assert(
    fc.property(fc.array(fc.tuple(anyService, fc.array(anyDest))), (pairs) => {
      const table = new Map(pairs.flatMap(([each, dests]) => [...seen(each, ...dests)]));
      const again = readSave(saveLines(table).join('\n'));
      t.equal(saveLosses(table).length, 0);
      t.equal(again.size, table.size);
      for (const { service: each, dests } of sortedTable(table)) {
        const read = again.get(serviceText(each.key));
        t.same(
          read?.service.settings.persistence ?? null,
          each.settings.persistence === undefined
            ? null
            : {
                timeoutSeconds: each.settings.persistence.timeoutSeconds,
                prefix: each.settings.persistence.prefix,
              },
        );
        t.same([...(read?.dests.values() ?? [])], dests);
      }
    }),
    { numRuns: 50 },
  );
});

/** Our text of an address, and the word that ipvsadm 1.31 prints for it. */
const EMBEDDED: readonly (readonly [string, string])[] = [
  ['::ffff:c000:201', '[::ffff:192.0.2.1]:80'],
  ['::ffff:0:0', '[::ffff:0.0.0.0]:80'],
  ['::c000:201', '[::192.0.2.1]:80'],
  ['::ffff:1', '[::255.255.0.1]:80'],
  ['::1', '[::1]:80'],
  ['::', '[::]:80'],
  ['64:ff9b::c000:201', '[64:ff9b::c000:201]:80'],
  ['::ffff:0:c000:201', '[::ffff:0:c000:201]:80'],
];

t.test('an IPv4 address inside an IPv6 address stands in dots, as glibc prints it', async (t) => {
  for (const [address, word] of EMBEDDED) {
    const key: ServiceKey = { kind: 'address', protocol: 'tcp', address: ip(address), port: 80 };
    t.equal(operationWords({ kind: 'delete-service', key }), `-D -t ${word}`);
    const line = operationWords({ kind: 'delete-dest', service: WEB, dest: key });
    t.equal(line.split(' ').at(-1), word);
  }
});
