import fc from 'fast-check';
import t, { type Test } from 'tap';
import { LvsError } from '../../src/core/errors.js';
import { AttributeReader, align4 } from '../../src/wire/attributes.js';
import { GENL_ID_CTRL, readFamily, readGenlHeader, writeFamilyRequest } from '../../src/wire/genetlink.js';
import { type Message, NLM_F, NLMSG, readDone, readError, splitDatagram } from '../../src/wire/netlink.js';
import { datagram, doneAnswer, errorAnswer } from '../fakes/answers.js';
import {
  decodeGenl,
  encodeGenl,
  fromHex,
  loadVectors,
  toHex,
  type Vector,
  type VectorMessage,
} from './vectors.js';

/** Runs `body`; what it throws must be one of the two errors that bytes from outside may cause. */
function decodesOrFailsTyped(body: () => void): boolean {
  try {
    body();
    return true;
  } catch (error) {
    return error instanceof LvsError && (error.code === 'TRUNCATED' || error.code === 'MALFORMED');
  }
}

function rebuild(message: VectorMessage): Message {
  const { type, flags, seq: sequence, pid: portId } = message.nlmsg;
  if (message.genl !== undefined) {
    return { type, flags, sequence, portId, payload: encodeGenl(message) };
  }
  if (message.done !== undefined) {
    return doneAnswer({ type, flags, sequence, portId }, message.done.errno);
  }
  if (message.error === undefined || message.orig === undefined)
    throw new Error('an unknown kind of message');
  const { hdr, payloadHex } = message.orig;
  const request = { type: hdr.type, flags: hdr.flags, sequence: hdr.seq, portId: hdr.pid, length: hdr.len };
  const answer = errorAnswer(request, message.error.errno, {
    echo: payloadHex === '' ? undefined : fromHex(payloadHex),
  });
  return { ...answer, portId };
}

function checkDecoded(t: Test, found: Message, expected: VectorMessage): void {
  const { type, flags, seq, pid } = expected.nlmsg;
  t.strictSame([found.type, found.flags, found.sequence, found.portId], [type, flags, seq, pid]);
  if (expected.genl !== undefined) {
    const attrs = expected.attrs ?? [];
    t.strictSame(decodeGenl(found.payload, attrs), { cmd: expected.genl.cmd, attrs });
    t.equal(readGenlHeader(found.payload).version, expected.genl.version);
  } else if (expected.done !== undefined) {
    t.equal(readDone(found).errno, expected.done.errno);
  } else {
    const { errno, request, echo, text } = readError(found);
    t.equal(errno, expected.error?.errno);
    t.strictSame(
      {
        len: request.length,
        type: request.type,
        flags: request.flags,
        seq: request.sequence,
        pid: request.portId,
      },
      expected.orig?.hdr,
    );
    t.equal(toHex(echo), expected.orig?.payloadHex);
    t.equal(text, undefined);
  }
}

const GENERIC = loadVectors('ipvs-');

t.test('every captured generic netlink packet, both ways', async (t) => {
  const exercised = new Map<string, number>();
  const check = (t: Test, { kind, bytes, messages }: Vector): void => {
    const found = splitDatagram(bytes);
    t.equal(found.length, messages.length);
    for (const [index, message] of messages.entries()) {
      const decoded = found[index];
      if (decoded !== undefined) checkDecoded(t, decoded, message);
    }
    t.equal(toHex(datagram(...messages.map(rebuild))), toHex(bytes), 'the same bytes again');
    exercised.set(kind, (exercised.get(kind) ?? 0) + 1);
  };
  for (const vector of GENERIC) await t.test(vector.name, async (t) => check(t, vector));
  t.strictSame(Object.fromEntries(exercised), {
    'ipvs-request': 58,
    'ipvs-reply': 8,
    'ipvs-error': 8,
    'ipvs-dump': 5,
    'ipvs-ack': 2,
    'ipvs-ctrl-request': 1,
    'ipvs-ctrl-reply': 1,
    'ipvs-done': 1,
  });
});

t.test('the frame of every captured rtnetlink packet, both ways', async (t) => {
  const vectors = loadVectors('rtnl-');
  t.equal(vectors.length, 34);
  for (const { name, bytes } of vectors)
    t.equal(toHex(datagram(...splitDatagram(bytes))), toHex(bytes), name);
});

t.test('an error with the kernel’s words, both ways', async (t) => {
  const vectors = loadVectors('raw-nlmsgerr-ext');
  t.equal(vectors.length, 1);
  for (const { bytes } of vectors) {
    const [message] = splitDatagram(bytes);
    if (message === undefined) throw new Error('no message');
    const answer = readError(message);
    t.match(answer, { errno: 34, text: 'Attribute failed policy validation', offset: 20, cookie: undefined });
    t.equal(answer.policy?.length, 36);
    t.equal(toHex(answer.echo), '0c01000005000400' + '02000000');
    const { request, echo, text, offset, policy } = answer;
    // The kernel sets F_NESTED on POLICY.
    const again = errorAnswer(request, answer.errno, { echo, words: { text, offset, policy } });
    const expected = bytes.slice();
    expected[16 + 4 + 28 + 40 + 8 + 3] = 0;
    t.equal(toHex(datagram(again)), toHex(expected));
  }
});

t.test('words beside an acknowledgement and beside the end of a dump are read', async (t) => {
  const request = { type: 28, flags: 5, sequence: 7, portId: 9, length: 21 };
  const words = { text: 'a warning', offset: 3, cookie: Uint8Array.of(1, 2) };
  t.match(readError(errorAnswer(request, 0, { words })), { errno: 0, echo: new Uint8Array(0), ...words });
  t.match(readError(errorAnswer(request, 22, { echo: new Uint8Array(5), words })), { errno: 22, ...words });
  t.match(readDone(doneAnswer(request, 4, words)), { errno: 4, ...words });
  t.equal(readDone({ ...doneAnswer(request), payload: new Uint8Array(0) }).errno, 0);
  t.equal(readError(errorAnswer(request, 1)).text, undefined);
  const old = { ...errorAnswer(request, 0), flags: 0 };
  t.equal(readError(old).echo.length, 0, 'kernels before 4.3 do not mark that they left the payload out');
});

const FRAMES: readonly (readonly [string, string, string])[] = [
  ['half a length', '1000', 'TRUNCATED'],
  ['half a header', '10000000' + '0300', 'TRUNCATED'],
  ['a length below 16', '0f000000' + '030000000000000000000000', 'MALFORMED'],
  ['a length of 0', '00000000' + '030000000000000000000000', 'MALFORMED'],
  ['a message longer than the datagram', '14000000' + '030000000000000000000000', 'TRUNCATED'],
  ['the largest length', 'ffffffff' + '030000000000000000000000', 'TRUNCATED'],
  ['rubbish after a whole message', '10000000' + '030000000000000000000000' + '01', 'TRUNCATED'],
];

t.test('a broken frame fails with a typed error', async (t) => {
  for (const [name, hex, code] of FRAMES) t.throws(() => splitDatagram(fromHex(hex)), { code }, name);
  t.strictSame(splitDatagram(new Uint8Array(0)), []);
});

t.test('the padding of the last message may be missing, that of others may not', async (t) => {
  const message = { type: 99, flags: 0, sequence: 1, portId: 2, payload: Uint8Array.of(1, 2, 3, 4, 5) };
  const padded = datagram(message, message);
  t.equal(padded.length, 2 * (16 + 8));
  t.strictSame(splitDatagram(padded.subarray(0, padded.length - 3)), [message, message]);
});

const ERROR_PAYLOADS: readonly (readonly [string, string, number, string])[] = [
  ['empty', '', 0, 'TRUNCATED'],
  ['no header of the request', 'ffffffff', 0, 'TRUNCATED'],
  ['an error number above 0', '01000000' + '10000000050000000000000000000000', 0, 'MALFORMED'],
  ['an impossible length of the request', 'ffffffff' + '0f000000050000000000000000000000', 0, 'MALFORMED'],
  ['an echo that was cut', 'ffffffff' + '14000000050000000000000000000000', 0, 'TRUNCATED'],
  ['words that were cut', 'ffffffff' + '10000000050000000000000000000000' + '08000100', 0x300, 'TRUNCATED'],
];

t.test('a broken error answer fails with a typed error', async (t) => {
  for (const [name, hex, flags, code] of ERROR_PAYLOADS) {
    const message = { type: NLMSG.ERROR, flags, sequence: 0, portId: 0, payload: fromHex(hex) };
    t.throws(() => readError(message), { code }, name);
  }
  const done = { type: NLMSG.DONE, flags: 0, sequence: 0, portId: 0, payload: Uint8Array.of(1, 0, 0, 0) };
  t.throws(() => readDone(done), { code: 'MALFORMED' });
  t.throws(() => readDone({ ...done, payload: Uint8Array.of(0) }), { code: 'TRUNCATED' });
});

const messageArbitrary: fc.Arbitrary<Message> = fc.record({
  type: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  sequence: fc.nat(0xffffffff),
  portId: fc.nat(0xffffffff),
  payload: fc.uint8Array({ maxLength: 40 }),
});

const plain = (message: Message) => ({ ...message, payload: [...message.payload] });

t.test('law: messages come back as they were written', async () => {
  fc.assert(
    fc.property(fc.array(messageArbitrary, { maxLength: 6 }), (messages) => {
      const again = splitDatagram(datagram(...messages));
      return JSON.stringify(again.map(plain)) === JSON.stringify(messages.map(plain));
    }),
  );
});

t.test('law: messages spread over datagrams in any way are the same messages', async () => {
  fc.assert(
    fc.property(fc.array(messageArbitrary, { maxLength: 6 }), fc.array(fc.boolean()), (messages, cuts) => {
      const parts: Message[][] = [[]];
      for (const [index, message] of messages.entries()) {
        if (cuts[index] === true) parts.push([]);
        parts.at(-1)?.push(message);
      }
      const again = parts.flatMap((part) => splitDatagram(datagram(...part)));
      return JSON.stringify(again.map(plain)) === JSON.stringify(messages.map(plain));
    }),
  );
});

t.test('law: a datagram cut anywhere inside a message is TRUNCATED, never misread', async () => {
  fc.assert(
    fc.property(fc.array(messageArbitrary, { minLength: 1, maxLength: 4 }), fc.nat(), (messages, cut) => {
      const whole = datagram(...messages);
      const part = whole.subarray(0, cut % whole.length);
      try {
        const found = splitDatagram(part).map(plain);
        return JSON.stringify(found) === JSON.stringify(messages.slice(0, found.length).map(plain));
      } catch (error) {
        return error instanceof LvsError && error.code === 'TRUNCATED';
      }
    }),
  );
});

function walk(reader: AttributeReader, depth: number): void {
  while (reader.next()) {
    reader.text();
    if (depth > 0 && reader.size > 3) walk(reader.nested(), depth - 1);
    else if (reader.size === 8) reader.u64le();
    else reader.u32le();
  }
}

t.test('law: any bytes decode or fail with a typed error', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(0xffff), (bytes, flags) => {
      const message = { type: NLMSG.ERROR, flags, sequence: 0, portId: 0, payload: bytes };
      return [
        () => splitDatagram(bytes),
        () => readError(message),
        () => readDone(message),
        () => walk(AttributeReader.over(bytes), 3),
        () => readGenlHeader(bytes),
        () => readFamily(bytes),
      ].every(decodesOrFailsTyped);
    }),
    { numRuns: 2000 },
  );
});

t.test('law: a captured packet with one byte changed decodes or fails with a typed error', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...GENERIC), fc.nat(), fc.nat(255), ({ bytes }, at, value) => {
      const broken = bytes.slice();
      broken[at % broken.length] = value;
      return decodesOrFailsTyped(() => {
        for (const message of splitDatagram(broken)) {
          if (message.type === NLMSG.ERROR) readError(message);
          else if (message.type === NLMSG.DONE) readDone(message);
          else walk(AttributeReader.over(message.payload, 4), 2);
        }
      });
    }),
    { numRuns: 2000 },
  );
});

t.test('the request for a family is what libnl sends', async (t) => {
  const [vector] = loadVectors('ipvs-ctrl-request');
  const payload = writeFamilyRequest('IPVS');
  t.equal(toHex(payload), toHex(vector?.bytes.subarray(16) ?? new Uint8Array()));
  t.equal(vector?.messages[0]?.nlmsg.type, GENL_ID_CTRL);
  t.throws(() => writeFamilyRequest(''), { code: 'MALFORMED' });
  t.throws(() => writeFamilyRequest('sixteen-letters-'), { code: 'MALFORMED' });
});

t.test('a family is read from the controller’s answer', async (t) => {
  const [vector] = loadVectors('ipvs-ctrl-reply');
  const [message] = splitDatagram(vector?.bytes ?? new Uint8Array());
  const payload = message?.payload ?? new Uint8Array();
  t.strictSame(readFamily(payload), { name: 'IPVS', id: 28, version: 1, headerSize: 0, attributeMax: 6 });
  t.throws(() => readFamily(writeFamilyRequest('IPVS')), { code: 'MALFORMED' }, 'a request is no answer');
  const nameless = fromHex('01020000');
  t.throws(() => readFamily(nameless), { code: 'MALFORMED', message: /without id or name/ });
});

t.test('the numbers of linux/netlink.h', async (t) => {
  t.strictSame([align4(0), align4(1), align4(4), align4(5)], [0, 4, 4, 8]);
  t.equal(NLM_F.ROOT | NLM_F.MATCH, NLM_F.DUMP);
});
