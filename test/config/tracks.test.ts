/** `tracks:` and what virtual routers name of it. */
import t from 'tap';
import type { Watched } from '../../src/tracks/model.js';
import type { Track } from '../../src/vrrp/model.js';
import { configOf, faultsOf } from './given.js';

const router = (track: string): string =>
  `{ interface: eth0, id: 51, addresses: [192.168.2.254/24], track: ${track} }`;

const textOf = (tracks: string, track: string): string =>
  `services: {}\ntracks: { ${tracks} }\nvrrp: { outside: ${router(track)} }`;

interface Found {
  readonly tracks: readonly Track[] | undefined;
  readonly watched: readonly Watched[];
}

function found(tracks: string, track: string): Found {
  const config = configOf(textOf(tracks, track));
  return { tracks: config.vrrp[0]?.tracks, watched: config.tracks };
}

const SCRIPT = 'uplink: { script: { program: [/bin/check] } }';

t.test('the least of each kind is completed with every default', async (t) => {
  const { tracks, watched } = found(
    `${SCRIPT}, handicap: { file: /etc/handicap }, router: { process: { program: bird } }, link: { interface: eth2 }`,
    '{ objects: [uplink, handicap, router, link] }',
  );
  t.same(watched, [
    {
      kind: 'script',
      name: 'uplink',
      program: { argv: ['/bin/check'], user: undefined, deadline: 1000, environment: {} },
      interval: 1000,
      rise: 1,
      fall: 1,
      assume: undefined,
    },
    { kind: 'file', name: 'handicap', path: '/etc/handicap' },
    {
      kind: 'process',
      name: 'router',
      program: 'bird',
      arguments: [],
      minimum: 1,
      maximum: Number.POSITIVE_INFINITY,
      delay: 0,
    },
  ]);
  t.same(tracks, [
    { kind: 'script', name: 'uplink', weight: 'fault', reverse: false },
    { kind: 'file', name: 'handicap', weight: 1, reverse: false },
    { kind: 'process', name: 'router', weight: 'fault', reverse: false },
    { kind: 'interface', name: 'eth2', weight: 'fault', reverse: false },
  ]);
});

t.test('the defaults that the reference states are the ones that hold', async (t) => {
  const rows: readonly (readonly [string, string])[] = [
    [
      SCRIPT,
      'uplink: { script: { program: [/bin/check], interval: 1s, timeout: 1s, rise: 1, fall: 1 }, weight: fault, reverse: false }',
    ],
    ['uplink: { file: /a }', 'uplink: { file: /a, weight: 1, reverse: false }'],
    [
      'uplink: { process: { program: bird } }',
      'uplink: { process: { program: bird, arguments: [], minimum: 1, delay: 0s }, weight: fault }',
    ],
    ['uplink: { interface: eth1 }', 'uplink: { interface: eth1, weight: fault }'],
  ];
  for (const [least, stated] of rows)
    t.same(found(least, '{ objects: [uplink] }'), found(stated, '{ objects: [uplink] }'), stated);
});

t.test('every option arrives', async (t) => {
  const script =
    'program: [/bin/check, -v, "a b"], interval: 2s, timeout: 500ms, rise: 2, fall: 3, user: nobody:adm, assume: down';
  const process = 'program: bird, arguments: [-c, x], minimum: 2, maximum: 4, delay: 3s';
  const { watched, tracks } = found(
    `a: { script: { ${script} }, weight: -20, reverse: true }, b: { process: { ${process} }, weight: 253 }`,
    '{ objects: [a, b] }',
  );
  t.same(watched, [
    {
      kind: 'script',
      name: 'a',
      program: { argv: ['/bin/check', '-v', 'a b'], user: 'nobody:adm', deadline: 500, environment: {} },
      interval: 2000,
      rise: 2,
      fall: 3,
      assume: 'down',
    },
    {
      kind: 'process',
      name: 'b',
      program: 'bird',
      arguments: ['-c', 'x'],
      minimum: 2,
      maximum: 4,
      delay: 3000,
    },
  ]);
  t.same(tracks, [
    { kind: 'script', name: 'a', weight: -20, reverse: true },
    { kind: 'process', name: 'b', weight: 253, reverse: false },
  ]);
});

t.test('without a timeout a script has its whole interval', async (t) => {
  const { watched } = found(
    'uplink: { script: { program: [/bin/check], interval: 7s } }',
    '{ objects: [uplink] }',
  );
  t.match(watched, [{ program: { deadline: 7000 } }]);
});

t.test('a virtual router may have its own weight for what others track too', async (t) => {
  const objects = (weight: string): string => `{ objects: [{ name: uplink, ${weight} }] }`;
  const rows: readonly (readonly [string, Partial<Track>])[] = [
    ['weight: -5', { weight: -5, reverse: true }],
    ['weight: fault, reverse: false', { weight: 'fault', reverse: false }],
    ['reverse: false', { weight: 30, reverse: false }],
  ];
  const definition = 'uplink: { script: { program: [/bin/check] }, weight: 30, reverse: true }';
  for (const [given, expected] of rows)
    t.match(found(definition, objects(given)).tracks, [{ kind: 'script', name: 'uplink', ...expected }]);
});

t.test('only what is tracked is watched, and once for all', async (t) => {
  const text = `${textOf(`${SCRIPT}, unused: { file: /a }, link: { interface: eth2 }`, '{ objects: [uplink, link] }').slice(0, -1)}, inside: { interface: eth1, id: 52, addresses: [192.168.3.254/24], track: { objects: [{ name: uplink, weight: 3 }] } } }`;
  const { tracks, vrrp } = configOf(text);
  t.same(
    tracks.map(({ name }) => name),
    ['uplink'],
  );
  t.equal(vrrp.length, 2);
});

t.test('objects stand beside interfaces and services', async (t) => {
  const text = textOf(SCRIPT, '{ interfaces: [eth1], services: [web], objects: [uplink] }').replace(
    'services: {}',
    'services: { web: { address: 192.168.2.254:80, servers: [192.168.2.2] } }',
  );
  t.same(
    configOf(text).vrrp[0]?.tracks.map(({ kind }) => kind),
    ['interface', 'services', 'script'],
  );
});

t.test('the files of a folder share their tracks', async (t) => {
  const texts = [
    'services: {}\ntracks: { a: { file: /a } }',
    `tracks: { b: { file: /b } }\nvrrp: { outside: ${router('{ objects: [a, b] }')} }`,
  ];
  t.same(faultsOf(texts), []);
  t.match(faultsOf([...texts, 'tracks: { a: { file: /c } }']), [/^c.yaml.*tracks.a: set already in a.yaml/]);
});

/** What stands in `tracks`, what the router names, and what the operator reads. */
const FAULTS: readonly (readonly [string, string, string | RegExp])[] = [
  ['x: {}', '{ objects: [x] }', 'tracks.x: nothing to track; say `script`, `file`, `process` or `interface`'],
  [
    'x: { file: /a, interface: eth0 }',
    '{ objects: [x] }',
    'tracks.x: either `file` or `interface`, not both',
  ],
  [
    'x: { script: { program: [check] } }',
    '{}',
    'tracks.x.script.program[0]: "check" is not an absolute path; no PATH is searched',
  ],
  [
    'x: { script: { program: [] } }',
    '{}',
    'tracks.x.script.program: empty; the first word is the path of a program',
  ],
  ['x: { script: { interval: 1s } }', '{}', 'tracks.x.script.program: missing; it must be there'],
  ['x: { file: a/b }', '{}', 'tracks.x.file: "a/b" is not the absolute path of a file'],
  [
    'x: { process: { program: /sbin/bird } }',
    '{}',
    'tracks.x.process.program: "/sbin/bird" is not the name of a program without its folders',
  ],
  [
    'x: { process: { program: bird, maximum: 0 } }',
    '{}',
    'tracks.x.process.maximum: 0 is below the minimum, 1: it could never be up',
  ],
  [
    'x: { file: /a, weight: 0 }',
    '{}',
    'tracks.x.weight: 0 does nothing; what keepalived calls weight 0 is `fault`',
  ],
  [
    'x: { file: /a, weight: 254 }',
    '{}',
    'tracks.x.weight: 254 is not `fault`, or a whole number from -253 to 253',
  ],
  [
    'x: { file: /a, weight: down }',
    '{}',
    'tracks.x.weight: "down" is not `fault`, or a whole number from -253 to 253',
  ],
  [
    'x: { script: { program: [/a], user: "a b" } }',
    '{}',
    'tracks.x.script.user: "a b" is not a user, or user:group, by name or number',
  ],
  ['', '{ objects: [y] }', 'vrrp.outside.track.objects[0]: there is no y in `tracks`'],
  ['', '{ objects: [{ name: y }] }', 'vrrp.outside.track.objects[0].name: there is no y in `tracks`'],
  [
    'x: { file: /a }',
    '{ objects: [x, { name: x, weight: 2 }] }',
    'vrrp.outside.track.objects[1]: file x is tracked already',
  ],
  [
    'x: { interface: eth1 }',
    '{ interfaces: [eth1], objects: [x] }',
    'vrrp.outside.track.objects[0]: interface eth1 is tracked already',
  ],
  [
    'x: { file: /a }',
    '{ objects: [{ name: x, weight: 0 }] }',
    'vrrp.outside.track.objects[0].weight: 0 does nothing; what keepalived calls weight 0 is `fault`',
  ],
  [
    'x: { file: /a }',
    '{ objects: [{ name: x, weigth: 1 }] }',
    'vrrp.outside.track.objects[0].weigth: unknown key; did you mean "weight"?',
  ],
];

t.test('what is wrong is told where it stands, and once', async (t) => {
  for (const [tracks, track, expected] of FAULTS) {
    const faults = faultsOf(textOf(tracks, track)).map((line) => line.replace(/^a\.yaml:\d+:\d+: /, ''));
    t.same(faults, [expected], `tracks: { ${tracks} }, track: ${track}`);
  }
});
