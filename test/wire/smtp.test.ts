import fc from 'fast-check';
import t from 'tap';
import { type CodedReply, REPLY_LIMIT, type ReplyFault } from '../../src/wire/replies.js';
import { SmtpReplyReader } from '../../src/wire/smtp.js';

interface Read {
  readonly replies: readonly CodedReply[];
  readonly fault: ReplyFault | undefined;
  readonly hasUnread: boolean;
}

function read(pieces: readonly string[]): Read {
  const reader = new SmtpReplyReader();
  const replies: CodedReply[] = [];
  for (const piece of pieces) {
    reader.push(Buffer.from(piece, 'latin1'));
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) replies.push(reply);
  }
  return { replies, fault: reader.fault, hasUnread: reader.hasUnread };
}

const MALFORMED = { kind: 'malformed', detail: 'not an SMTP reply' };

t.test('replies of one line and of many', async (t) => {
  const rows: readonly (readonly [string, readonly CodedReply[], boolean])[] = [
    ['220 ready\r\n', [{ code: 220, text: 'ready' }], false],
    ['220\n', [{ code: 220, text: '' }], false],
    ['250-mail\r\n250-SIZE 1\r\n250 HELP\r\n', [{ code: 250, text: 'HELP' }], false],
    ['250-mail\r\n250\r\n', [{ code: 250, text: '' }], false],
    [
      '220 a\r\n421 b\r\n',
      [
        { code: 220, text: 'a' },
        { code: 421, text: 'b' },
      ],
      false,
    ],
    ['220 rea', [], true],
    ['220-ready\r\n', [], true],
    ['220 ready\r\nx', [{ code: 220, text: 'ready' }], true],
  ];
  for (const [text, replies, hasUnread] of rows)
    t.same(read([text]), { replies, fault: undefined, hasUnread }, JSON.stringify(text));
});

t.test('what is no reply', async (t) => {
  const texts = [
    'SSH-2.0-x\r\n',
    '\r\n',
    '22 x\r\n',
    '2200 x\r\n',
    '120 x\r\n',
    '260 x\r\n',
    '220ready\r\n',
    '220 \0\r\n',
  ];
  for (const text of [...texts, '250-a\r\n220 b\r\n', '250-a\r\nb\r\n', '250-a\r\n 250 b\r\n'])
    t.match(read([text, '220 ready\r\n']), { replies: [], fault: MALFORMED }, JSON.stringify(text));
});

t.test('a reply has an end', async (t) => {
  const tooLong = { kind: 'too-long', limit: REPLY_LIMIT };
  t.same(read([`220 ${'x'.repeat(REPLY_LIMIT)}`]).fault, tooLong);
  t.same(read(Array<string>(3000).fill('250-more\r\n')).fault, tooLong);
  t.equal(read(Array<string>(3000).fill('250 again\r\n')).fault, undefined);
});

const scrap = fc.oneof(
  fc.constantFrom('220', '-', ' ', '\r\n', '\n', '220 ok\r\n', '220-a\r\n', '\0'),
  fc.string({ unit: 'binary', maxLength: 4 }),
);

t.test('law: however the bytes are cut, the replies are the same, and nothing throws', async (t) => {
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 12 }), (pieces) => {
      const whole = pieces.join('');
      return JSON.stringify(read(pieces)) === JSON.stringify(read([...whole]));
    }),
    { numRuns: 3000 },
  );
  t.pass();
});
