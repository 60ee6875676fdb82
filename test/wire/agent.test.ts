/** The line of an agent: its words, in any order and split anywhere. */
import fc from 'fast-check';
import t from 'tap';
import { type AgentAnswer, agentLineEnd, parseAgentLine } from '../../src/wire/agent.js';

const NOTHING: AgentAnswer = {
  operation: undefined,
  administration: undefined,
  percent: undefined,
  description: '',
  isKnown: false,
};

const ROWS: readonly (readonly [string, Partial<AgentAnswer>])[] = [
  ['up', { operation: 'up' }],
  ['UP', { operation: 'up' }],
  ['up 75%', { operation: 'up', percent: 75 }],
  ['75%,up', { operation: 'up', percent: 75 }],
  ['\t ready,,up \t 100%  ', { administration: 'ready', operation: 'up', percent: 100 }],
  ['0%', { percent: 0 }],
  ['150%', { percent: 150 }],
  ['down', { operation: 'down' }],
  ['fail#out of disk', { operation: 'fail', description: 'out of disk' }],
  ['failed', { operation: 'failed' }],
  ['stopped # for an upgrade, 50%', { operation: 'stopped', description: 'for an upgrade, 50%' }],
  ['down # one # two', { operation: 'down', description: 'one # two' }],
  ['drain', { administration: 'drain' }],
  ['maint up', { administration: 'maint', operation: 'up' }],
  ['drain ready', { administration: 'ready' }],
  ['up down', { operation: 'down' }],
  ['10% 20%', { percent: 20 }],
  ['maxconn:30', {}],
  ['up sideways', { operation: 'up' }],
];

t.test('words, and what is left unsaid', async (t) => {
  for (const [line, answer] of ROWS)
    t.same(parseAgentLine(line), { ...NOTHING, isKnown: true, ...answer }, line);
});

t.test('lines without a word that is known', async (t) => {
  for (const line of [
    '',
    '  ,\t',
    'hello',
    '75',
    '75 %',
    '-5%',
    '7.5%',
    '100000%',
    'maxconn:',
    'upp',
    'HTTP/1.1 200 OK',
  ])
    t.same(parseAgentLine(line), NOTHING, JSON.stringify(line));
  t.same(parseAgentLine('# up'), { ...NOTHING, description: 'up' }, 'a description is none');
});

t.test('a line ends with the first CR or LF', async (t) => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ['up', undefined],
    ['', undefined],
    ['up\n', 2],
    ['up\r\n', 2],
    ['\nup', 0],
    ['up\rdown\n', 2],
  ];
  for (const [text, end] of rows) t.equal(agentLineEnd(Buffer.from(text)), end, JSON.stringify(text));
});

t.test('law: no text makes it throw, and the order of words of different kinds does not matter', async () => {
  const kinds = [
    fc.constantFrom('up', 'down', 'fail', 'stopped'),
    fc.constantFrom('ready', 'drain', 'maint'),
    fc.nat(200).map((share) => `${share}%`),
    fc.constant('maxconn:9'),
  ] as const;
  const parts = fc.tuple(...kinds).chain((words) => fc.shuffledSubarray([...words], { minLength: 1 }));
  fc.assert(
    fc.property(parts, fc.constantFrom(' ', ',', '\t', ' , '), (words, blank) => {
      const one = JSON.stringify(parseAgentLine(words.join(blank)));
      return one === JSON.stringify(parseAgentLine([...words].reverse().join(blank).toUpperCase()));
    }),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 60, unit: 'binary' }), (text) => {
      const { percent, isKnown } = parseAgentLine(text);
      return percent === undefined || (isKnown && Number.isInteger(percent) && percent >= 0);
    }),
    { numRuns: 2000 },
  );
});
