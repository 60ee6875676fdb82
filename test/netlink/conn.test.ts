import fc from 'fast-check';
import t from 'tap';
import { errnoName, errnoValue } from '../../src/core/errno.js';
import type { NetlinkRequest } from '../../src/netlink/exchange.js';
import { type Message, NLM_F, NLMSG } from '../../src/wire/netlink.js';
import { datagram, doneAnswer } from '../fakes/answers.js';
import { type Arrival, acknowledged, answer, dumped, refused } from '../fakes/netlink-socket.js';
import { turn } from '../fakes/time.js';
import { bytes, connect, failing, first, OK, refusing, request, requests, silent, TYPE } from './connect.js';

const ENOBUFS = -errnoValue('ENOBUFS');
const EINTR = -errnoValue('EINTR');

t.test(
  'a batch goes out in one send, and only an empty message behind it asks for an acknowledgement',
  async (t) => {
    const { conn, socket } = connect(acknowledged);
    t.strictSame(await conn.batch([request(1), { ...request(2), flags: NLM_F.CREATE }, request(3)]), [
      OK,
      OK,
      OK,
    ]);
    t.equal(socket.sends.length, 1);
    t.strictSame(
      socket.sends
        .flat()
        .map(({ type, flags, sequence, portId, payload }) => [type, flags, sequence, portId, ...payload]),
      [
        [TYPE, NLM_F.REQUEST, 1, 0, 1],
        [TYPE, NLM_F.REQUEST | NLM_F.CREATE, 2, 0, 2],
        [TYPE, NLM_F.REQUEST, 3, 0, 3],
        [NLMSG.NOOP, NLM_F.REQUEST | NLM_F.ACK, 4, 0],
      ],
    );
    t.strictSame(await conn.batch([]), []);
    t.equal(socket.sends.length, 1, 'an empty batch sends nothing');
  },
);

t.test(
  'a batch reports each error at its request, with the kernel’s words, and the rest is done',
  async (t) => {
    const { conn } = connect(refusing({ 1: 17, 3: 2 }));
    t.strictSame(await conn.batch(requests(5)), [
      OK,
      { ok: false, errno: 'EEXIST', text: 'no 17' },
      OK,
      { ok: false, errno: 'ENOENT', text: 'no 2' },
      OK,
    ]);
    const last = connect(refusing({ 2: 3 }));
    t.strictSame(await last.conn.batch(requests(3)), [OK, OK, { ok: false, errno: 'ESRCH', text: 'no 3' }]);
    const all = connect((request) => refused(request, 1));
    t.strictSame(await all.conn.batch(requests(2)), [
      { ok: false, errno: 'EPERM', text: undefined },
      { ok: false, errno: 'EPERM', text: undefined },
    ]);
  },
);

t.test('a request that the kernel never answers counts as done once those behind it are', async (t) => {
  const { conn, time } = connect((request) => (first(request.payload) === 1 ? [] : refused(request, 17)));
  const known = { ok: false, errno: 'EEXIST', text: undefined };
  t.strictSame(await conn.batch(requests(3)), [known, OK, known]);
  await conn.acknowledge(request(1));
  t.equal(time.waiting, 0, 'nothing is waited for');
});

t.test(
  'a payload may be written in place; one that cannot be is EINVAL, and nothing of it is sent',
  async (t) => {
    const { conn, socket } = connect(refusing({ 9: 17 }));
    const written = (value: number): NetlinkRequest => ({
      type: TYPE,
      payload: (writer) => writer.u8(value),
    });
    const half: NetlinkRequest = {
      type: TYPE,
      payload: (writer) => {
        writer.u32le(7);
        writer.u8(256);
      },
    };
    const unsendable = { ok: false, errno: 'EINVAL', text: '256 is not an integer from 0 to 255' };
    t.strictSame(await conn.batch([written(1), half, written(9), half]), [
      OK,
      unsendable,
      { ok: false, errno: 'EEXIST', text: 'no 17' },
      unsendable,
    ]);
    t.strictSame(
      socket.requests.map(({ payload }) => [...payload]),
      [[1], [9]],
    );
    await t.rejects(conn.acknowledge(half), failing('EINVAL'));
    await t.rejects(conn.ask(half, first), failing('EINVAL'));
    await t.rejects(conn.dump(half, first), failing('EINVAL'));
    t.equal(socket.requests.length, 2);
    const broken = { type: TYPE, payload: () => unexpected() };
    await t.rejects(conn.batch([broken]), { message: 'a defect' }, 'a defect is no result');
    t.strictSame(await conn.batch([written(1)]), [OK], 'and does not stop the connection');
  },
);

function unexpected(): never {
  throw new Error('a defect');
}

t.test('a large batch is cut so that no send and no pile of unread answers grows large', async (t) => {
  const { conn, socket } = connect((request) => refused(request, 22));
  let unread = 0;
  const receive = socket.receive.bind(socket);
  socket.receive = (into) => {
    unread = Math.max(unread, socket.unread);
    return receive(into);
  };
  t.equal((await conn.batch(requests(200))).length, 200);
  t.strictSame(
    socket.sends.map((send) => send.length),
    [65, 65, 65, 9],
  );
  t.equal(unread, 65);
  const wide = Array.from({ length: 5 }, () => ({ type: TYPE, payload: new Uint8Array(10_000) }));
  socket.sends.length = 0;
  await conn.batch([...wide, { type: TYPE, payload: new Uint8Array(60_000) }]);
  t.strictSame(
    socket.sends.map((send) => send.length),
    [4, 3, 2],
  );
});

t.test('a question has its answer; an error rejects with errno and words', async (t) => {
  const { conn, socket, time } = connect((request) =>
    first(request.payload) === 9
      ? refused(request, 3, { text: 'gone' })
      : [datagram(answer(request, request.payload))],
  );
  t.equal(await conn.ask(request(5), first), 5);
  t.equal(socket.requests[0]?.flags, NLM_F.REQUEST, 'no acknowledgement is asked for');
  await t.rejects(conn.ask(request(9), first), {
    code: 'NETLINK',
    message: 'netlink: ESRCH, gone',
    facts: { errno: 'ESRCH', text: 'gone' },
  });
  t.equal(time.waiting, 0, 'what is answered at once starts no timer');
  t.equal(await conn.ask(request(5), () => undefined), undefined, 'an answer may mean nothing');
});

t.test('EPERM is an error of permission', async (t) => {
  const { conn } = connect((request) => refused(request, 1));
  await t.rejects(conn.ask(request(1), first), { code: 'PERMISSION', facts: { errno: 'EPERM' } });
  await t.rejects(conn.acknowledge(request(1)), { code: 'PERMISSION' });
});

t.test('an acknowledged command resolves or rejects', async (t) => {
  const { conn, socket } = connect(refusing({ 1: 16 }));
  await conn.acknowledge(request(0));
  t.strictSame(
    socket.sends[0]?.map(({ flags }) => flags),
    [NLM_F.REQUEST, NLM_F.REQUEST | NLM_F.ACK],
  );
  await t.rejects(conn.acknowledge(request(1)), { code: 'NETLINK', facts: { errno: 'EBUSY' } });
});

t.test('an acknowledgement is no answer to a question', async (t) => {
  const { conn } = connect((request) => acknowledged({ ...request, flags: NLM_F.ACK }));
  await t.rejects(conn.ask(request(1), first), failing('EPROTO'));
});

const DUMPS: readonly (readonly [string, (request: Message) => Arrival[]])[] = [
  ['in one part', (request) => dumped(request, bytes(1, 2, 3, 4))],
  ['in two parts', (request) => dumped(request, bytes(1, 2, 3, 4), 2)],
  ['a message at a time', (request) => dumped(request, bytes(1, 2, 3, 4), 1)],
  [
    'with the end in the last part',
    (request) => [
      datagram(...bytes(1, 2).map((payload) => answer(request, payload, NLM_F.MULTI))),
      datagram(...bytes(3, 4).map((payload) => answer(request, payload, NLM_F.MULTI)), doneAnswer(request)),
    ],
  ],
  [
    'with another’s answer in the middle, a notification and a NOOP',
    (request) => [
      datagram(answer(request, Uint8Array.of(1), NLM_F.MULTI)),
      datagram(answer({ ...request, sequence: request.sequence + 1 }, Uint8Array.of(77))),
      datagram(answer({ ...request, sequence: 0 }, Uint8Array.of(78))),
      datagram({ ...answer(request, Uint8Array.of(79)), type: NLMSG.NOOP }),
      ...dumped(request, bytes(2, 3, 4)),
    ],
  ],
  ['with an interrupted receive', (request) => [EINTR, ...dumped(request, bytes(1, 2, 3, 4))]],
];

t.test('a dump is all of its messages, however they come', async (t) => {
  for (const [name, kernel] of DUMPS) {
    const { conn, socket } = connect(kernel);
    t.strictSame(await conn.dump(request(0), first), [1, 2, 3, 4], name);
    t.equal(socket.requests[0]?.flags, NLM_F.REQUEST | NLM_F.DUMP);
    t.equal(socket.unread, 0);
  }
  t.strictSame(await connect((request) => dumped(request, [])).conn.dump(request(0), first), [], 'empty');
});

t.test('a dump that the kernel gives up rejects with the reason at its end', async (t) => {
  const aborted = connect((request) => [
    datagram(answer(request, Uint8Array.of(1), NLM_F.MULTI)),
    datagram(doneAnswer(request, 12, { text: 'no room' })),
  ]);
  await t.rejects(aborted.conn.dump(request(0), first), {
    code: 'NETLINK',
    facts: { errno: 'ENOMEM', text: 'no room' },
  });
  const busy = connect((request) => refused(request, 16));
  await t.rejects(busy.conn.dump(request(0), first), failing('EBUSY'));
});

t.test('a dump that a change interrupted is repeated, and not for ever', async (t) => {
  let interruptions = 2;
  const { conn, socket } = connect((request) => {
    interruptions -= 1;
    const flags = NLM_F.MULTI | (interruptions >= 0 ? NLM_F.DUMP_INTR : 0);
    return [
      datagram(answer(request, Uint8Array.of(interruptions + 10), flags)),
      ...dumped(request, bytes(1)),
    ];
  });
  t.strictSame(await conn.dump(request(0), first), [9, 1]);
  t.equal(socket.requests.length, 3);
  interruptions = 1000;
  await t.rejects(conn.dump(request(0), first), {
    facts: { errno: 'EINTR' },
    message: /changed during every try/,
  });
  t.equal(socket.requests.length, 8);
  interruptions = 0;
  const atEnd = connect((request) => {
    interruptions += 1;
    const flags = interruptions === 1 ? NLM_F.DUMP_INTR : 0;
    return [datagram({ ...doneAnswer(request), flags: NLM_F.MULTI | flags })];
  });
  await atEnd.conn.dump(request(0), first);
  t.equal(atEnd.socket.requests.length, 2, 'the flag counts on DONE as well');
});

t.test('one dump at a time: the second is sent when the first is over', async (t) => {
  const { conn, socket } = connect(silent);
  const both = Promise.all([conn.dump(request(1), first), conn.dump(request(2), first)]);
  await turn();
  t.equal(socket.requests.length, 1);
  const [one] = socket.requests;
  if (one === undefined) throw new Error('nothing was sent');
  socket.kernel = (request) => dumped(request, bytes(4));
  socket.deliver(...dumped(one, bytes(3)));
  t.strictSame(await both, [[3], [4]]);
});

t.test('an answer that comes late is waited for, and the wait leaves nothing behind', async (t) => {
  const { conn, socket, time } = connect(silent);
  socket.mute = true;
  const result = conn.batch(requests(2));
  await turn();
  t.ok(socket.isWatched);
  t.equal(time.waiting, 1);
  socket.deliver(...socket.sends.flat().flatMap((request) => refusing({ 0: 2 })(request)));
  t.strictSame(await result, [{ ok: false, errno: 'ENOENT', text: 'no 2' }, OK]);
  t.notOk(socket.isWatched);
  t.equal(time.waiting, 0);
});

t.test('long work lets others have their turns', async (t) => {
  const { conn, socket, turns } = connect(acknowledged);
  let sendsOfTurn = 0;
  let worst = 0;
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    sendsOfTurn += 1;
    worst = Math.max(worst, sendsOfTurn);
    return send(data);
  };
  turns.before = () => {
    sendsOfTurn = 0;
  };
  await conn.batch(requests(11_000));
  t.equal(worst, 1, 'one send for each turn');

  const large = Array.from({ length: 8 }, () => new Uint8Array(1000));
  socket.kernel = (request) => dumped(request, large);
  worst = 0;
  const before = turns.count;
  for (let count = 0; count < 100; count += 1) await conn.dump(request(0), first);
  t.ok(turns.count - before >= 100 / 5, 'many short dumps give way too');
  t.ok(worst <= 6);

  const many = Array.from({ length: 1000 }, () => Uint8Array.of(1));
  socket.kernel = (request) => dumped(request, many, 1);
  const start = turns.count;
  t.equal((await conn.dump(request(0), first)).length, 1000);
  t.ok(turns.count - start >= 15, 'one long dump gives way');
});

t.test('law: every result belongs to its request, whatever fails, is lost or intrudes', async () => {
  const fate = fc.constantFrom('ok', 'refused', 'noise', 'lost') as fc.Arbitrary<
    'ok' | 'refused' | 'noise' | 'lost'
  >;
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 150 }), async (fates) => {
      const errno = (index: number): number => (index % 30) + 1;
      const { conn } = connect((request) => {
        const index = (request.payload[0] ?? 0) * 256 + (request.payload[1] ?? 0);
        const noise = refused({ ...request, sequence: request.sequence + 5000 }, 5);
        if (fates[index] === 'refused') return refused(request, errno(index));
        if (fates[index] === 'lost') return [ENOBUFS, ...acknowledged(request)];
        return fates[index] === 'noise' ? [...noise, ...acknowledged(request)] : acknowledged(request);
      });
      const results = await conn.batch(fates.map((_, index) => request(index >> 8, index & 255)));
      return results.every((result, index) => {
        if (fates[index] === 'refused') return !result.ok && result.errno === errnoName(errno(index));
        const part = fates.slice(index - (index % 64), index - (index % 64) + 64);
        return part.includes('lost') ? !result.ok && result.errno === 'ENOBUFS' : result.ok;
      });
    }),
    { numRuns: 100 },
  );
});

t.test('law: a dump split over datagrams anywhere, early or late, is the same dump', async () => {
  const cut = fc.constantFrom<'same' | 'next' | 'late'>('same', 'next', 'late');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(255), cut), { maxLength: 30 }), async (items) => {
      const later: Arrival[] = [];
      const { conn, socket } = connect((request) => {
        const now: Arrival[] = [];
        let part: Message[] = [];
        let target = now;
        const flush = () => {
          if (part.length > 0) target.push(datagram(...part));
          part = [];
        };
        for (const [value, where] of items) {
          if (where !== 'same') flush();
          if (where === 'late') target = later;
          part.push(answer(request, Uint8Array.of(value), NLM_F.MULTI));
        }
        part.push(doneAnswer(request));
        flush();
        return now;
      });
      const values = conn.dump(request(0), first);
      await turn();
      for (const arrival of later) {
        socket.deliver(arrival);
        await turn();
      }
      return JSON.stringify(await values) === JSON.stringify(items.map(([value]) => value));
    }),
    { numRuns: 100 },
  );
});
