/** DNS, NTP, SIP and mail: what is written and read, and laws. */
import fc from 'fast-check';
import t from 'tap';
import { decodeDnsResponse, encodeDnsQuestion } from '../../src/wire/dns.js';
import {
  ImapReplyReader,
  imapQuoted,
  MemcachedReplyReader,
  NntpReplyReader,
  Pop3ReplyReader,
} from '../../src/wire/mail.js';
import { decodeNtpReply, encodeNtpRequest } from '../../src/wire/ntp.js';
import type { ReplyReader } from '../../src/wire/replies.js';
import { decodeSipHead, encodeSipOptions } from '../../src/wire/sip.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

t.test('a DNS question', async (t) => {
  t.equal(
    hex(encodeDnsQuestion({ id: 0x1234, name: 'a.example.', record: 28 })),
    '1234010000010000000000000161076578616d706c6500001c0001',
  );
  t.equal(hex(encodeDnsQuestion({ id: 0, name: '.', record: 6 })), '0000010000010000000000000000060001');
  const long = Array<string>(5).fill('x'.repeat(60)).join('.');
  for (const name of ['', 'a..b', `${'x'.repeat(64)}.a`, 'ž.example', 'a b', long])
    t.throws(() => encodeDnsQuestion({ id: 0, name, record: 1 }), { code: 'MALFORMED' }, name);
});

/** A response to `a.example` with one answer. */
function response(record: number, data: string): Uint8Array {
  const type = record.toString(16).padStart(4, '0');
  const length = (data.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(
    `00018180000100010000000001410765786d70706c6500${type}0001c00c${type}000100000009${length}${data}`,
    'hex',
  );
}

t.test('the data of answers as in a zone file', async (t) => {
  const rows: readonly (readonly [number, string, string])[] = [
    [1, 'c0000201', '192.0.2.1'],
    [28, '20010db8000000000000000000000001', '2001:db8::1'],
    [2, '026e73c00c', 'ns.A.exmpple.'],
    [5, '00', '.'],
    [15, '000a046d61696cc00c', '10 mail.A.exmpple.'],
    [16, '03616263026465', 'abcde'],
    [33, '000100020003c00c', '1 2 3 A.exmpple.'],
    [6, '016dc00c0168c00c0000000100000002000000030000000400000005', 'm.A.exmpple. h.A.exmpple. 1 2 3 4 5'],
    [257, '0001ff', '0001ff'],
    [2, '03612e6200', 'a\\046b.'],
  ];
  for (const [record, data, text] of rows) {
    const read = decodeDnsResponse(response(record, data));
    t.match(
      read,
      { id: 1, rcode: 0, question: { name: 'a.exmpple.', record }, answers: [{ record, text }] },
      text,
    );
  }
});

t.test('what is no DNS response', async (t) => {
  const whole = response(1, 'c0000201');
  for (let length = 0; length < whole.length; length += 1)
    t.equal(decodeDnsResponse(whole.subarray(0, length)), undefined, `${length} bytes`);
  t.equal(decodeDnsResponse(response(2, 'c02b')), undefined, 'a pointer to itself');
  t.equal(decodeDnsResponse(response(2, 'c0ff')), undefined, 'a pointer beyond the end');
  t.equal(decodeDnsResponse(response(1, 'c00002')), undefined, 'half an address');
  t.equal(decodeDnsResponse(encodeDnsQuestion({ id: 1, name: 'a', record: 1 })), undefined, 'a question');
});

t.test('what was cut is read as far as it goes', async (t) => {
  const cut = Buffer.from(response(1, 'c0000201')).subarray(0, -2);
  cut[2] = 0x83;
  t.match(decodeDnsResponse(cut), { isTruncated: true, answers: [] });
});

t.test('NTP', async (t) => {
  const request = encodeNtpRequest(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]));
  t.equal(hex(request), `23${'00'.repeat(39)}0102030405060708`);
  t.equal(decodeNtpReply(request), undefined, 'a request is no reply');
  const reply = Buffer.alloc(48);
  reply[0] = 0x24;
  reply[1] = 17;
  t.equal(decodeNtpReply(reply), undefined, 'a stratum that is none');
  reply[1] = 1;
  reply.write('GPS', 12);
  t.match(decodeNtpReply(reply), { leap: 0, stratum: 1, reference: 'GPS' });
});

t.test('SIP', async (t) => {
  const options = { transport: 'tcp', local: '[::1]:5', remote: '[::1]:5060', id: 'abc' } as const;
  t.match(
    encodeSipOptions(options),
    /^OPTIONS sip:\[::1\]:5060 SIP\/2\.0\r\nVia: SIP\/2\.0\/TCP \[::1\]:5;branch=z9hG4bKabc;rport\r\n/,
  );
  t.throws(() => encodeSipOptions({ ...options, id: 'a\r\nb' }), { code: 'MALFORMED' });
  t.same(decodeSipHead('SIP/2.0 200 OK\r\nCALL-ID : x\r\nl: 7'), { status: 200, callId: 'x', length: 7 });
  t.same(decodeSipHead('SIP/2.0 404'), { status: 404, callId: undefined, length: 0 });
  for (const head of [
    '',
    'SIP/2.0 99 x',
    'SIP/2.0 700 x',
    'SIP/1.0 200 OK',
    'SIP/2.0 200 OK\nX: y',
    'SIP/2.0 200 \0',
  ])
    t.equal(decodeSipHead(head), undefined, JSON.stringify(head));
});

t.test('law: any bytes are read or refused; nothing throws', async (t) => {
  const whole = response(15, '000a046d61696cc00c');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(), fc.nat(255), (bytes, at, byte) => {
      const bent = Uint8Array.from(whole);
      bent[at % bent.length] = byte;
      for (const some of [bytes, bent]) {
        decodeDnsResponse(some);
        decodeNtpReply(some);
        decodeSipHead(Buffer.from(some).toString('latin1'));
      }
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

t.test('a quoted string of IMAP', async (t) => {
  t.equal(imapQuoted('a"b\\c'), '"a\\"b\\\\c"');
});

const READERS: readonly (readonly [
  string,
  () => ReplyReader<object>,
  readonly string[],
  readonly string[],
])[] = [
  [
    'pop3',
    () => new Pop3ReplyReader(),
    ['+OK\r\n', '-ERR no\r\n', '+OK a b\n'],
    ['OK\r\n', '+OKAY\r\n', '\r\n'],
  ],
  [
    'imap',
    () => new ImapReplyReader(),
    ['* OK\r\n', 'a1 no x\r\n', '* 1 EXISTS\r\n* BYE\r\n'],
    ['OK\r\n', '* LIST {3}\r\n', '+ go\r\n'],
  ],
  ['nntp', () => new NntpReplyReader(), ['200 x\r\n', '480\r\n'], ['200-x\r\n', '600 x\r\n', '20 x\r\n']],
  [
    'memcached',
    () => new MemcachedReplyReader(),
    ['VERSION 1\r\n', 'ERROR\r\n'],
    ['STAT x\r\n', 'version 1\r\n'],
  ],
];

function count(reader: ReplyReader<object>, pieces: readonly string[]): string {
  let replies = '';
  for (const piece of pieces) {
    reader.push(Buffer.from(piece, 'latin1'));
    for (let reply = reader.next(); reply !== undefined; reply = reader.next())
      replies += JSON.stringify(reply);
  }
  return replies + JSON.stringify(reader.fault ?? null);
}

t.test('replies of one line, and what is none; however the bytes are cut they are the same', async (t) => {
  for (const [name, reader, good, bad] of READERS) {
    for (const text of good)
      t.match(count(reader(), [text]), /^\{.*\}null$/, `${name}: ${JSON.stringify(text)}`);
    for (const text of bad) t.match(count(reader(), [text]), /malformed/, `${name}: ${JSON.stringify(text)}`);
    const scrap = fc.oneof(fc.constantFrom(...good, ...bad), fc.string({ unit: 'binary', maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 6 }), (pieces) => {
        return count(reader(), pieces) === count(reader(), [...pieces.join('')]);
      }),
      { numRuns: 500 },
    );
  }
});
