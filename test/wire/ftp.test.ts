import fc from 'fast-check';
import t from 'tap';
import { FtpReplyReader, parseExtendedPassivePort, parsePassivePort } from '../../src/wire/ftp.js';
import { type CodedReply, encodeCommand, REPLY_LIMIT, type ReplyFault } from '../../src/wire/replies.js';

function read(pieces: readonly string[]): { replies: CodedReply[]; fault: ReplyFault | undefined } {
  const reader = new FtpReplyReader();
  const replies: CodedReply[] = [];
  for (const piece of pieces) {
    reader.push(Buffer.from(piece, 'latin1'));
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) replies.push(reply);
  }
  return { replies, fault: reader.fault };
}

const GOOD: readonly (readonly [string, string, readonly CodedReply[]])[] = [
  ['one line', '220 ready\r\n', [{ code: 220, text: 'ready' }]],
  ['a lone LF', '220 ready\n', [{ code: 220, text: 'ready' }]],
  ['a code alone', '200\r\n', [{ code: 200, text: '' }]],
  ['a code and a space', '200 \r\n', [{ code: 200, text: '' }]],
  [
    'two replies at once',
    '150 here it comes\r\n226 done\r\n',
    [
      { code: 150, text: 'here it comes' },
      { code: 226, text: 'done' },
    ],
  ],
  ['several lines', '220-Welcome\r\n to this\r\n220 ready\r\n', [{ code: 220, text: 'ready' }]],
  [
    'several lines that look like replies',
    '220-Welcome\r\n230 not yet\r\n220-nor this\r\n2200 nor this\r\n220 ready\r\n',
    [{ code: 220, text: 'ready' }],
  ],
  ['empty lines inside', '211-Features:\r\n\r\n\r\n211 End\r\n', [{ code: 211, text: 'End' }]],
  ['a bare code at the end of several lines', '220-Welcome\r\n220\r\n', [{ code: 220, text: '' }]],
  ['latin1', '530 Acc\xe8s refus\xe9\r\n', [{ code: 530, text: 'Acc\xe8s refus\xe9' }]],
  ['half a reply', '220 rea', []],
  ['several lines without the last', '220-Welcome\r\n220-to this\r\n', []],
];

const BAD: readonly (readonly [string, string])[] = [
  ['another protocol', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
  ['an empty line', '\r\n'],
  ['two digits', '22 ready\r\n'],
  ['four digits', '2200 ready\r\n'],
  ['a first digit beyond the range', '620 ready\r\n'],
  ['a second digit beyond the range', '290 ready\r\n'],
  ['code zero', '020 ready\r\n'],
  ['no space', '220ready\r\n'],
  ['NUL', '220 re\0ady\r\n'],
  ['NUL inside several lines', '220-Welcome\r\n\0\r\n220 ready\r\n'],
];

t.test('replies come out whole and in order', async (t) => {
  for (const [name, text, replies] of GOOD) t.same(read([text]), { replies, fault: undefined }, name);
});

t.test('what is no reply is malformed, and nothing comes after it', async (t) => {
  for (const [name, text] of BAD) {
    const { replies, fault } = read([text, '220 ready\r\n']);
    t.same(fault, { kind: 'malformed', detail: 'not an FTP reply' }, name);
    t.same(replies, [], name);
  }
});

t.test('a reply without end is cut off at the limit', async (t) => {
  const tooLong = { kind: 'too-long', limit: REPLY_LIMIT };
  t.same(read([`220 ${'x'.repeat(REPLY_LIMIT)}`]).fault, tooLong, 'one line');
  t.same(read(['220-x\r\n', ...Array(3000).fill('220-more\r\n')]).fault, tooLong, 'many lines');
  t.equal(read(Array(3000).fill('220 again\r\n')).fault, undefined, 'many short replies are no long reply');
});

t.test('law: however the bytes are cut, the replies are the same', async (t) => {
  for (const [name, text] of [...GOOD, ...BAD]) {
    const whole = read([text]);
    t.same(read([...text]), whole, `byte by byte: ${name}`);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), (a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        return JSON.stringify(read(pieces)) === JSON.stringify(whole);
      }),
      { numRuns: 50 },
    );
  }
});

const code = fc.integer({ min: 100, max: 559 }).filter((value) => Math.floor(value / 10) % 10 <= 5);
const words = fc.stringMatching(/^[ -~]{0,20}$/);

t.test('law: replies that were written by the rules are read back', async (t) => {
  const reply = fc.record({ code, text: words, before: fc.array(words, { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 5 }), (replies) => {
      const text = replies
        .map(({ code, text, before }) => {
          const [first, ...more] = before;
          // RFC 959 4.2: lines between must not begin like the last one; they are indented.
          const head =
            first === undefined
              ? ''
              : [`${code}-${first}`, ...more.map((line) => ` ${line}`), ''].join('\r\n');
          return `${head}${code} ${text}\r\n`;
        })
        .join('');
      const expected = replies.map(({ code, text }) => ({ code, text }));
      return JSON.stringify(read([text])) === JSON.stringify({ replies: expected });
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

t.test('law: any bytes are read or refused; nothing throws', async (t) => {
  const scrap = fc.oneof(
    fc.constantFrom('220', '-', ' ', '\r\n', '\n', '220 ok\r\n', '220-a\r\n', '\0'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 20 }), (pieces) =>
      read(pieces).replies.every(({ code }) => code >= 100 && code < 560),
    ),
    { numRuns: 10_000 },
  );
  t.pass();
});

t.test('the port of a passive reply', async (t) => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ['Entering Passive Mode (127,0,0,1,195,80).', 195 * 256 + 80],
    ['Entering Passive Mode 10,0,0,1,0,21', 21],
    ['=127,0,0,1,4,5', 4 * 256 + 5],
    ['Entering Passive Mode (127,0,0,1,255,255)', 65535],
    ['Entering Passive Mode (127,0,0,1,0,0)', undefined],
    ['Entering Passive Mode (127,0,0,1,256,1)', undefined],
    ['Entering Passive Mode (999,0,0,1,1,1)', undefined],
    ['Entering Passive Mode (127,0,0,1,1)', undefined],
    ['Entering Passive Mode (127,0,0,1,1,2222)', undefined],
    ['Entering Passive Mode (127,0,0,1,-1,2)', undefined],
    ['', undefined],
  ];
  for (const [text, port] of rows) t.equal(parsePassivePort(text), port, text);
});

t.test('the port of an extended passive reply', async (t) => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ['Entering Extended Passive Mode (|||6446|)', 6446],
    ['ok (!!!1!)', 1],
    ['ok (|||65535|)', 65535],
    ['ok (|||65536|)', undefined],
    ['ok (|||0|)', undefined],
    ['ok (|||-1|)', undefined],
    ['ok (||6446|)', undefined],
    ['ok (|!|6446|)', undefined],
    ['ok (|1|192.0.2.1|6446|)', undefined],
    ['|||6446|', undefined],
  ];
  for (const [text, port] of rows) t.equal(parseExtendedPassivePort(text), port, text);
});

t.test('a command is one line, whatever its argument', async (t) => {
  t.equal(encodeCommand('QUIT'), 'QUIT\r\n');
  t.equal(encodeCommand('RETR', '/pub/a file'), 'RETR /pub/a file\r\n');
  t.equal(encodeCommand('PASS', ''), 'PASS \r\n');
  for (const bad of ['x\r\nDELE y', 'x\ny', 'x\ry', 'x\0y']) {
    // The argument may be a password: it is not in the error.
    const message = 'the argument of PASS holds a line end or NUL';
    t.throws(
      () => encodeCommand('PASS', `secret${bad}`),
      { code: 'MALFORMED', message },
      JSON.stringify(bad),
    );
  }
});
