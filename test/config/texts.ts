/** Configurations as text for laws: in every style of YAML, right and wrong, with wounds anywhere. */
import fc from 'fast-check';

/** Fields of a service, each as lines below its key; some are wrong, alone or beside others. */
const FIELD_LINES = [
  ['scheduler: rr'],
  ['scheduler: "wrr" # with a comment'],
  ["scheduler:   'mh'", '# a comment', 'flags: [mh-port]'],
  ['persistence: { timeout: 300s }'],
  ['persistence:', '  timeout: 300s', '', '  netmask: 24'],
  ['forward: masquerade'],
  ['forward: tunnel', 'tunnel: {type: gue,', '  port: 6080}'],
  [`check: { type: http, path: /x, headers: { authorization: "Bearer \${env:TOKEN}" } }`],
  ['check:', '  type: http', '  contains: |', '    all', '', '    go', '  status: [200, 300-302]'],
  ['check:', '  type: http', '  contains: >-', '    all', '    go'],
  ['check:', '  type: http', '  contains: all', '    systems', '', '    go'],
  ['check: { type: http, contains: "two \\', '    lines: yes # no comment" }'],
  ['check: { type: tcp, interval: 5s, # why', '     timeout: 1s }'],
  ['? on-failure', ': quiesce'],
  ['check: &same { type: ftp }'],
  ['check: *same'],
  ['check: !!map { type: tcp }'],
  ['shceduler: rr'],
  ['protocol: icmp'],
  ['check: { type: http, path: "unclosed }'],
  ['\tscheduler: rr'],
  [' scheduler: rr'],
  ['one-packet: true'],
  [`check: { type: ftp, file: 'it''s', user: x, password: '\${env:MISSING}' }`],
] as const;

const SERVER_LINES = [
  ['servers: [192.0.2.10, 192.0.2.11]'],
  ['servers:', '- 192.0.2.10', '- { address: 192.0.2.11, weight: 7 } # heavy'],
  ['servers:', '  - 192.0.2.10', '', '  - address: 192.0.2.11', '    weight: 0x10', '    name: b'],
  ['servers:', '  -', '    address: 192.0.2.10', '  - "192.0.2.11"'],
  ['servers: [', '  192.0.2.10,', '  ]'],
  ['servers: []'],
  ['servers:'],
  ['servers: [192.0.2.10, 192.0.2.10]'],
] as const;

/** Mostly the first of a list, which is what is usual. */
function mostly<Value>(list: readonly Value[]): fc.Arbitrary<Value> {
  const [usual, ...others] = list;
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual as Value) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

const sound = fc.constantFrom(...FIELD_LINES.slice(0, 14));
const fields = fc.array(
  fc.oneof({ weight: 40, arbitrary: sound }, { weight: 1, arbitrary: fc.constantFrom(...FIELD_LINES) }),
  {
    maxLength: 2,
  },
);
const servers = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...SERVER_LINES.slice(0, 6)) },
  { weight: 1, arbitrary: fc.constantFrom(...SERVER_LINES) },
);

interface Piece {
  readonly key: string;
  readonly port: number;
  readonly lines: readonly string[];
  readonly after: readonly string[];
}

const piece: fc.Arbitrary<Piece> = fc
  .record({
    name: fc.integer({ min: 0, max: 40 }).map((number) => `s${number}`),
    key: mostly([
      'NAME:',
      '"NAME":',
      "'NAME':",
      'NAME: # a comment',
      'NAME :',
      '? NAME\n  :',
      '- NAME:',
      'NAME: &a',
      '"NA\\u004dE":',
    ]),
    port: fc.integer({ min: 1, max: 60 }),
    fields,
    servers,
    after: mostly<readonly string[]>([
      [],
      [''],
      ['# a comment'],
      ['', '  # another', '#'],
      ['...'],
      ['---'],
      ['x'],
      ['   '],
    ]),
  })
  .map(({ name, key, port, fields, servers, after }) => ({
    key: key.replace('NAME', name),
    port,
    lines: [...fields.flat(), ...servers],
    after,
  }));

/** Names and addresses that differ, as they mostly do. */
function apart(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.map((each, index) => ({
    ...each,
    key: each.key.replace(/s\d+/, `t${index}`),
    port: index + 1,
  }));
}

export const pieces = fc
  .tuple(fc.array(piece, { minLength: 1, maxLength: 5 }), mostly([true, false]))
  .map(([list, differ]) => (differ ? apart(list) : list));

const HEADS = [
  'name: a\n',
  '',
  '# a file\n\ndefaults: { check: { interval: 5s } }\n',
  `defaults:\n  check:\n    type: http\n    headers: { x: "\${env:TOKEN}" }\n`,
  '---\nname: a\n',
  '%YAML 1.2\n---\n',
  'defaults: { check: &a { type: ftp } }\n',
  'name: "a\n',
  'name: [\n',
  'name: |\n  a\n',
  '\ufeffname: a\n',
  'services: {}\n',
  'defaults: { check: { rise: 0 } }\n',
];
const TAILS = [
  '',
  'alerts: { x: { webhook: { url: "http://192.0.2.1/" } } }\n',
  '# the end',
  'table: memory\n',
  'table: disk\n',
  'services: {}\n',
  '...\n',
  '---\nname: b\n',
  '"\n',
  ']\n',
  '}\n',
  'api: *a\n',
];

interface Layout {
  readonly head: string;
  readonly key: string;
  readonly indent: number;
  readonly tail: string;
}

export const layout: fc.Arbitrary<Layout> = fc.record({
  head: mostly(HEADS),
  key: mostly([
    'services:',
    'services: # all',
    'services: ',
    '"services":',
    'services: &s',
    'services:\n# first',
    'services: |',
    ' services:',
  ]),
  indent: mostly([2, 1, 4, 0, 8]),
  tail: mostly(TAILS),
});

/** A file of these services. */
export function textOf({ head, key, indent, tail }: Layout, pieces: readonly Piece[]): string {
  const pad = ' '.repeat(indent);
  const lines = pieces.flatMap(({ key, port, lines, after }) => [
    `${pad}${key}`,
    ...[`address: 192.0.2.1:${port}`, ...lines].map((line) => (line === '' ? '' : `${pad}  ${line}`)),
    ...after,
  ]);
  return `${head}${key}\n${lines.join('\n')}\n${tail}`;
}

const WOUNDS = [
  ...[
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ': ',
    '#',
    ' #',
    '- ',
    '? ',
    '\n',
    '\n\n',
    '\n  ',
    '\n    ',
    ' ',
    '\t',
  ],
  ...[
    '&a ',
    '*a',
    '!x ',
    '|',
    '>',
    '...\n',
    '---\n',
    '\r\n',
    '\r',
    '\u2028',
    '\ufeff',
    '\u0001',
    '<<: ',
    '~',
    '\\',
  ],
];
/** Something cut out at a place, and something put in. */
export const wound = fc.tuple(fc.nat(100_000), fc.nat(6), fc.constantFrom('', ...WOUNDS));
type Wound = [number, number, string];

export function wounded(text: string, wounds: readonly Wound[]): string {
  return wounds.reduce((now, [at, length, put]) => {
    const start = at % (now.length + 1);
    return now.slice(0, start) + put + now.slice(start + length);
  }, text);
}

/** Files with services, most of them right or nearly so. */
export const text = fc
  .tuple(
    layout,
    pieces,
    fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(wound, { maxLength: 2 })),
  )
  .map(([layout, pieces, wounds]) => wounded(textOf(layout, pieces), wounds));
