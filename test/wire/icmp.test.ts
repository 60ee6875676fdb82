/** ICMP echoes against bytes of real packets, and by laws. */
import fc from 'fast-check';
import t from 'tap';
import type { Family } from '../../src/core/ip.js';
import { addWords, checksum, finishChecksum } from '../../src/wire/checksum.js';
import { decodeEchoAnswer, echoFilter, encodeEcho, withoutIpv4Header } from '../../src/wire/icmp.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const KEY = { id: 0x1234, sequence: 7 };

/** With the right checksum in its place. */
function summed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const sum = checksum(copy);
  copy.set([sum >> 8, sum & 0xff], 2);
  return copy;
}

/** The IP header of a packet of ours, as an error sends it back. */
const INNER = {
  ipv4: '45 00 00 54 00 00 40 00 40 01 00 00 c0 00 02 01 c0 00 02 02',
  ipv6: `60 00 00 00 00 40 3a 40 ${'00'.repeat(15)} 01 ${'00'.repeat(15)} 02`,
};

function errorAbout(family: Family, type: number, code: number, inner = INNER[family]): Uint8Array {
  const echo = encodeEcho(family, KEY, hex('ff'));
  const head = Uint8Array.of(type, code, 0, 0, 0, 0, 0, 0);
  return summed(new Uint8Array([...head, ...hex(inner), ...echo]));
}

t.test('an echo request has the form of RFC 792 and RFC 4443', (t) => {
  t.same(encodeEcho('ipv4', KEY, hex('61 62')), hex('08 00 84 62 12 34 00 07 61 62'));
  t.same(encodeEcho('ipv6', KEY, hex('61 62')), hex('80 00 00 00 12 34 00 07 61 62'), 'the kernel sums');
  t.end();
});

t.test('a reply tells its key and its payload', (t) => {
  for (const family of FAMILIES) {
    const reply = encodeEcho(family, KEY, hex('61 62 63'));
    reply[0] = family === 'ipv4' ? 0 : 129;
    reply.set([0, 0], 2);
    t.same(
      decodeEchoAnswer(family, summed(reply)),
      { kind: 'reply', key: KEY, payload: hex('61 62 63') },
      family,
    );
  }
  t.end();
});

t.test('an error is called what Linux calls it, and names the echo', (t) => {
  const rows: readonly (readonly [Family, number, number, string])[] = [
    ['ipv4', 3, 0, 'ENETUNREACH'],
    ['ipv4', 3, 1, 'EHOSTUNREACH'],
    ['ipv4', 3, 2, 'ENOPROTOOPT'],
    ['ipv4', 3, 3, 'ECONNREFUSED'],
    ['ipv4', 3, 13, 'EHOSTUNREACH'],
    ['ipv4', 3, 99, 'ENETUNREACH'],
    ['ipv4', 11, 0, 'EHOSTUNREACH'],
    ['ipv4', 11, 1, 'EHOSTUNREACH'],
    ['ipv4', 12, 0, 'EPROTO'],
    ['ipv6', 1, 0, 'ENETUNREACH'],
    ['ipv6', 1, 1, 'EACCES'],
    ['ipv6', 1, 3, 'EHOSTUNREACH'],
    ['ipv6', 1, 4, 'ECONNREFUSED'],
    ['ipv6', 2, 0, 'EMSGSIZE'],
    ['ipv6', 3, 0, 'EHOSTUNREACH'],
    ['ipv6', 4, 1, 'EPROTO'],
  ];
  for (const [family, type, code, errno] of rows)
    t.same(
      decodeEchoAnswer(family, errorAbout(family, type, code)),
      { kind: 'error', key: KEY, errno },
      `${family} ${type} ${code}`,
    );
  const withOptions = `${INNER.ipv4.replace('45', '46')} 01 01 01 00`;
  t.match(
    decodeEchoAnswer('ipv4', errorAbout('ipv4', 3, 1, withOptions)),
    { key: KEY },
    'options are skipped',
  );
  t.end();
});

t.test('what answers no echo is no answer', (t) => {
  const udp = INNER.ipv4.replace('40 01', '40 11');
  const rows: readonly (readonly [string, Family, Uint8Array])[] = [
    ['nothing', 'ipv4', hex('')],
    ['a cut header', 'ipv4', hex('00 00 ff ff 00 00 00')],
    ['a request', 'ipv4', encodeEcho('ipv4', KEY, hex(''))],
    ['a request of IPv6', 'ipv6', encodeEcho('ipv6', KEY, hex(''))],
    ['a redirect', 'ipv4', errorAbout('ipv4', 5, 1)],
    ['an error about UDP', 'ipv4', errorAbout('ipv4', 3, 3, udp)],
    ['an error about another version', 'ipv4', errorAbout('ipv4', 3, 3, INNER.ipv6)],
    ['an error with an impossible header', 'ipv4', errorAbout('ipv4', 3, 3, INNER.ipv4.replace('45', '44'))],
    ['an error that is cut', 'ipv4', summed(errorAbout('ipv4', 3, 1).subarray(0, 35))],
    ['an error that is cut, of IPv6', 'ipv6', errorAbout('ipv6', 1, 0).subarray(0, 55)],
    ['a damaged reply', 'ipv4', hex('00 00 8c 62 12 34 00 07 61 63')],
  ];
  for (const [name, family, bytes] of rows) t.equal(decodeEchoAnswer(family, bytes), undefined, name);
  t.match(
    decodeEchoAnswer('ipv4', hex('00 00 8c 62 12 34 00 07 61 62')),
    { key: KEY },
    'the same, undamaged',
  );
  t.end();
});

t.test('the header of IPv4 is taken off, whatever its length', (t) => {
  t.same(withoutIpv4Header(hex(`${INNER.ipv4} 01 02`)), hex('01 02'));
  t.same(withoutIpv4Header(hex(`46 ${'00'.repeat(23)} 03`)), hex('03'));
  for (const bad of ['', '45 00', '44'.padEnd(80, '0'), '65'.padEnd(80, '0'), `4f ${'00'.repeat(50)}`])
    t.equal(withoutIpv4Header(hex(bad)), undefined, bad);
  t.end();
});

t.test('laws', (t) => {
  const family = fc.constantFrom(...FAMILIES);
  const word = fc.nat({ max: 0xffff });
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(family, word, word, bytes, (which, id, sequence, payload) => {
      const echo = encodeEcho(which, { id, sequence }, payload);
      return which === 'ipv6' || finishChecksum(addWords(0, echo)) === 0;
    }),
  );
  t.pass('the checksum of a request is right');
  fc.assert(
    fc.property(family, word, word, bytes, (which, id, sequence, payload) => {
      const reply = encodeEcho(which, { id, sequence }, payload);
      reply[0] = which === 'ipv4' ? 0 : 129;
      reply.set([0, 0], 2);
      const answer = decodeEchoAnswer(which, summed(reply));
      return (
        answer?.kind === 'reply' &&
        answer.key.id === id &&
        answer.key.sequence === sequence &&
        Buffer.from(answer.payload).equals(payload)
      );
    }),
  );
  t.pass('a reply is read as it was written');
  fc.assert(
    fc.property(family, bytes, (which, any) => {
      const answer = decodeEchoAnswer(which, any);
      withoutIpv4Header(any);
      return answer === undefined || answer.key.id <= 0xffff;
    }),
  );
  t.pass('any bytes are read without harm');
  t.end();
});

t.test('a filter is whole instructions that never jump past the end', (t) => {
  for (const family of FAMILIES) {
    const program = Buffer.from(echoFilter(family, 0xbeef));
    t.equal(program.length % 8, 0);
    const count = program.length / 8;
    for (let at = 0; at < count; at += 1) {
      const isJump = ((program[at * 8] ?? 0) & 7) === 5;
      const farthest = Math.max(program[at * 8 + 2] ?? 0, program[at * 8 + 3] ?? 0);
      if (isJump && at + 1 + farthest >= count) t.fail(`${family}: instruction ${at}`);
    }
  }
  t.end();
});
