import fc from 'fast-check';
import t from 'tap';
import { diffObjects, LVSENTRY_PROTOCOL } from '../../src/addresses/diff.js';
import type {
  ObjectOperation,
  ObjectSeen,
  ObjectWanted,
  VirtualAddress,
  VirtualObject,
  VirtualRoute,
  VirtualRule,
} from '../../src/addresses/model.js';
import { objectText } from '../../src/addresses/names.js';
import { ip } from '../../src/core/ip.js';

const NOTHING: ReadonlySet<string> = new Set();

function address(text: string, changes: Partial<VirtualAddress> = {}): VirtualAddress {
  return {
    kind: 'address',
    device: 'eth0',
    address: ip(text),
    prefix: 24,
    broadcast: undefined,
    label: undefined,
    scope: 0,
    noDad: true,
    deprecated: false,
    ...changes,
  };
}

const VIP = address('10.0.0.100');
const ROUTE: VirtualRoute = {
  kind: 'route',
  destination: { address: ip('192.0.2.0'), length: 24 },
  gateway: ip('10.0.0.254'),
  device: 'eth0',
  source: undefined,
  table: 254,
  metric: 0,
  type: 1,
};
const RULE: VirtualRule = {
  kind: 'rule',
  family: 'ipv4',
  priority: 1000,
  from: { address: ip('10.0.0.100'), length: 32 },
  to: undefined,
  inputDevice: undefined,
  outputDevice: undefined,
  mark: undefined,
  table: 100,
};

function wanted(object: VirtualObject, changes: Partial<ObjectWanted> = {}): ObjectWanted {
  return { instance: 'outside', object, want: 'present', native: false, ...changes };
}

const absent = (object: VirtualObject, changes: Partial<ObjectWanted> = {}): ObjectWanted =>
  wanted(object, { want: 'absent', ...changes });

function seen(object: VirtualObject, changes: Partial<ObjectSeen> = {}): ObjectSeen {
  return { object, protocol: LVSENTRY_PROTOCOL, tentative: false, duplicate: false, ...changes };
}

const foreign = (object: VirtualObject): ObjectSeen => seen(object, { protocol: 0 });

function word(operation: ObjectOperation): string {
  const name = operation.object.kind === 'address' ? operation.object.address : operation.object.kind;
  const cause = 'cause' in operation ? ` ${operation.cause}` : '';
  return `${operation.kind} ${name}${cause}`;
}

function words(
  wants: readonly ObjectWanted[],
  there: readonly ObjectSeen[],
  held: Iterable<VirtualObject> = [],
): string[] {
  return diffObjects(wants, there, new Set([...held].map(objectText))).map(word);
}

t.test('master: what is missing is added, addresses before routes before rules', async (t) => {
  t.same(words([wanted(RULE), wanted(ROUTE), wanted(VIP)], []), [
    'add 10.0.0.100 master',
    'add route master',
    'add rule master',
  ]);
});

t.test('not master: what is there is removed, rules before routes before addresses', async (t) => {
  t.same(words([absent(VIP), absent(ROUTE), absent(RULE)], [seen(VIP), seen(ROUTE), seen(RULE)]), [
    'remove rule not-master',
    'remove route not-master',
    'remove 10.0.0.100 not-master',
  ]);
  t.same(words([absent(VIP)], []), []);
});

t.test('master: what a predecessor left is adopted, once', async (t) => {
  t.same(words([wanted(VIP)], [seen(VIP)]), ['adopt 10.0.0.100']);
  t.same(words([wanted(VIP)], [foreign(VIP)]), ['adopt 10.0.0.100'], 'an old kernel keeps no tag');
  t.same(words([wanted(VIP)], [seen(VIP)], [VIP]), []);
});

t.test('master: what somebody took away is put back', async (t) => {
  t.same(words([wanted(VIP), wanted(ROUTE)], [], [VIP, ROUTE]), [
    'add 10.0.0.100 put-back',
    'add route put-back',
  ]);
});

t.test(
  'backup: a virtual IP is removed whoever set it, for two would answer; on this interface alone',
  async (t) => {
    t.same(words([absent(VIP)], [foreign(VIP)]), ['remove 10.0.0.100 not-master']);
    t.same(
      words([absent(VIP)], [foreign(address('10.0.0.100', { prefix: 32, label: 'eth0:1' }))]),
      ['remove 10.0.0.100 not-master'],
      'with another prefix length it is the same address',
    );
    t.same(
      words([absent(VIP)], [foreign(address('10.0.0.100', { device: 'lo' }))]),
      [],
      'on lo it is a real server',
    );
  },
);

t.test(
  'the last address to send from is not removed, unless we made it or it was the master’s',
  async (t) => {
    const own = address('10.0.0.1');
    const vip = absent(VIP, { keepLast: true });
    t.same(words([vip], [foreign(VIP)]), [], 'the director’s own address, named as a virtual IP by mistake');
    t.same(words([vip], [foreign(VIP), foreign(own)]), ['remove 10.0.0.100 not-master']);
    t.same(words([vip], [seen(VIP)]), ['remove 10.0.0.100 not-master'], 'left behind by one that died');
    t.same(words([vip], [foreign(VIP)], [VIP]), ['remove 10.0.0.100 not-master'], 'it was ours a moment ago');
    t.same(
      words([vip], [foreign(VIP), foreign(address('10.0.0.1', { scope: 253 }))]),
      ['remove 10.0.0.100 not-master'],
      'whatever its scope',
    );
    for (const other of [address('10.0.0.1', { device: 'eth1' }), address('fe80::1')])
      t.same(words([vip], [foreign(VIP), foreign(other)]), [], 'nothing else to be reached by');
    const both = [vip, absent(own, { keepLast: true, instance: 'inside' })];
    t.same(words(both, [foreign(VIP), foreign(own)]), [], 'of two virtual IPs neither is its own');
  },
);

t.test('the addresses of an owner are the interface’s own: adopted, put back, never removed', async (t) => {
  const native = { native: true };
  t.same(words([absent(VIP, native)], [foreign(VIP)]), []);
  t.same(words([wanted(VIP, native)], [foreign(address('10.0.0.100', { prefix: 16 }))]), [
    'adopt 10.0.0.100',
  ]);
  t.same(words([wanted(VIP, native)], [foreign(address('10.0.0.100', { prefix: 16 }))], [VIP]), []);
  t.same(words([wanted(VIP, native)], [], [VIP]), ['add 10.0.0.100 put-back']);
});

t.test('other settings: removed and added anew', async (t) => {
  const changes: readonly Partial<VirtualAddress>[] = [
    { prefix: 32 },
    { label: 'eth0:vip' },
    { scope: 253 },
    { broadcast: ip('10.0.0.255') },
  ];
  const six = address('2001:db8::10', { prefix: 64 });
  for (const change of [{ prefix: 128 }, { noDad: false }, { deprecated: true }])
    t.same(
      words([wanted(six)], [seen({ ...six, ...change })], [six]),
      ['remove 2001:db8::10 changed', 'add 2001:db8::10 changed'],
      JSON.stringify(change),
    );
  t.same(words([wanted(six)], [seen({ ...six, scope: 200 })], [six]), [], 'the kernel works out the scope');
  t.same(words([wanted(VIP)], [seen({ ...VIP, noDad: false })], [VIP]), [], 'IPv4 knows no detection');
  for (const change of changes) {
    t.same(
      words([wanted(VIP)], [seen(address('10.0.0.100', change))], [VIP]),
      ['remove 10.0.0.100 changed', 'add 10.0.0.100 changed'],
      JSON.stringify(change),
    );
  }
  const other = { ...ROUTE, gateway: ip('10.0.0.253') };
  t.same(words([wanted(ROUTE)], [seen(other)]), ['remove route changed', 'add route changed']);
  t.same(
    words([wanted(VIP)], [seen(VIP), seen(address('10.0.0.100', { prefix: 32 }))]),
    ['adopt 10.0.0.100'],
    'ours is there; what stands beside it is not ours to judge',
  );
});

t.test('leftovers: what bears our tag and nobody knows is removed, the rest is never touched', async (t) => {
  const old = address('10.0.0.77');
  t.same(
    words(
      [wanted(VIP)],
      [seen(VIP), seen(old), seen(RULE), foreign(address('10.0.0.5')), foreign(ROUTE)],
      [VIP],
    ),
    ['remove rule leftover', 'remove 10.0.0.77 leftover'],
  );
  const [operation] = diffObjects([], [seen(old)], NOTHING);
  t.match(operation, { kind: 'remove', instance: undefined });
});

t.test('an address that another host has is reported, not announced', async (t) => {
  t.same(words([wanted(VIP)], [seen(VIP, { duplicate: true })], [VIP]), ['conflict 10.0.0.100']);
  t.same(words([absent(VIP)], [seen(VIP, { duplicate: true })]), ['remove 10.0.0.100 not-master']);
});

t.test('two instances share an object: who wants it present has it', async (t) => {
  const other = { instance: 'inside' };
  for (const wants of [
    [wanted(ROUTE), absent(ROUTE, other)],
    [absent(ROUTE, other), wanted(ROUTE)],
  ]) {
    t.same(words(wants, [seen(ROUTE)], [ROUTE]), []);
    t.same(words(wants, []), ['add route master']);
  }
  t.same(words([absent(ROUTE), absent(ROUTE, other)], [seen(ROUTE)]), ['remove route not-master']);
});

t.test('rules with other selectors are other rules; all copies of one are removed', async (t) => {
  const variants: readonly VirtualRule[] = [
    { ...RULE, priority: 1001 },
    { ...RULE, from: undefined },
    { ...RULE, to: { address: ip('192.0.2.0'), length: 24 } },
    { ...RULE, inputDevice: 'eth1' },
    { ...RULE, outputDevice: 'eth1' },
    { ...RULE, mark: { value: 1, mask: 255 } },
    { ...RULE, table: 101 },
    { ...RULE, family: 'ipv6' },
  ];
  t.equal(new Set([RULE, ...variants].map(objectText)).size, 9);
  t.same(words([absent(RULE)], [seen(RULE), seen(RULE)]), [
    'remove rule not-master',
    'remove rule not-master',
  ]);
});

const objectArbitrary = fc.constantFrom<VirtualObject>(
  VIP,
  address('10.0.0.101'),
  address('fe80::100', { prefix: 64 }),
  ROUTE,
  RULE,
);
const wantedArbitrary = fc.uniqueArray(
  fc.record({
    instance: fc.constant('outside'),
    object: objectArbitrary,
    want: fc.constantFrom('present' as const, 'absent' as const),
    native: fc.constant(false),
  }),
  { selector: ({ object }) => objectText(object) },
);
const seenArbitrary = fc.uniqueArray(
  fc.record({
    object: fc.oneof(
      objectArbitrary,
      fc.constant(address('10.0.0.100', { prefix: 32 })),
      fc.constant(address('10.9.9.9')),
    ),
    protocol: fc.constantFrom(0, LVSENTRY_PROTOCOL),
    tentative: fc.constant(false),
    duplicate: fc.constant(false),
  }),
  { selector: ({ object }) => JSON.stringify(object) },
);

t.test('law: applied once it is as wanted, applied twice it does nothing, foreign things stay', async () => {
  fc.assert(
    fc.property(wantedArbitrary, seenArbitrary, (wants, there) => {
      const kernel = new Map<string, ObjectSeen>(there.map((item) => [JSON.stringify(item.object), item]));
      for (const operation of diffObjects(wants, there, NOTHING)) {
        if (operation.kind === 'remove') kernel.delete(JSON.stringify(operation.object));
        if (operation.kind === 'add') kernel.set(JSON.stringify(operation.object), seen(operation.object));
      }
      const after = [...kernel.values()];
      const held = new Set(
        wants.filter(({ want }) => want === 'present').map(({ object }) => objectText(object)),
      );
      const known = new Set(wants.map(({ object }) => objectText(object)));
      const strangers = there.filter(
        ({ object, protocol }) => protocol === 0 && !known.has(objectText(object)),
      );
      const right = wants.every(({ object, want }) => {
        const has = after.some((item) => objectText(item.object) === objectText(object));
        return has === (want === 'present');
      });
      return (
        right &&
        diffObjects(wants, after, held).length === 0 &&
        strangers.every((item) => after.includes(item))
      );
    }),
    { numRuns: 2_000 },
  );
});
