import t from 'tap';
import { errnoValue } from '../../src/core/errno.js';
import { LvsError } from '../../src/core/errors.js';
import { type Message, NLM_F, NLMSG } from '../../src/wire/netlink.js';
import { datagram, doneAnswer } from '../fakes/answers.js';
import { type Arrival, acknowledged, answer, dumped, refused } from '../fakes/netlink-socket.js';
import { turn } from '../fakes/time.js';
import { bytes, connect, failing, first, OK, request, requests, silent } from './connect.js';

const ENOBUFS = -errnoValue('ENOBUFS');
const EMSGSIZE = -errnoValue('EMSGSIZE');

t.test('an answer that never comes is ETIMEDOUT, and the connection goes on', async (t) => {
  const { conn, socket, time } = connect((request) => (request.sequence === 2 ? refused(request, 2) : []));
  socket.mute = true;
  const result = conn.batch(requests(3));
  await turn();
  await time.advance(2999);
  t.ok(socket.isWatched, 'not before its time');
  await time.advance(1);
  const lost = { ok: false, errno: 'ETIMEDOUT', text: undefined };
  t.strictSame(await result, [lost, { ok: false, errno: 'ENOENT', text: undefined }, lost]);
  t.notOk(socket.isWatched);
  t.equal(time.waiting, 0);
  socket.deliver(...socket.sends.flat().flatMap((request) => refused(request, 5)));
  socket.mute = false;
  socket.kernel = acknowledged;
  t.strictSame(await conn.batch(requests(3)), [OK, OK, OK], 'old answers are not taken for new ones');
});

t.test('the limit counts silence: a dump that trickles in is not given up', async (t) => {
  const { conn, socket, time } = connect(silent);
  const result = conn.dump(request(0), first);
  await turn();
  const [sent] = socket.requests;
  if (sent === undefined) throw new Error('nothing was sent');
  for (const value of [1, 2, 3]) {
    await time.advance(2000);
    socket.deliver(datagram(answer(sent, Uint8Array.of(value), NLM_F.MULTI)));
    await turn();
    await turn();
  }
  socket.deliver(datagram(doneAnswer(sent)));
  t.strictSame(await result, [1, 2, 3]);
});

t.test('others’ answers do not hold the limit off', async (t) => {
  const { conn, socket, time } = connect(silent);
  const result = t.rejects(conn.ask(request(0), first), failing('ETIMEDOUT'));
  await turn();
  const [sent] = socket.requests;
  if (sent === undefined) throw new Error('nothing was sent');
  for (let count = 0; count < 3; count += 1) {
    await time.advance(1000);
    socket.deliver(datagram(answer({ ...sent, sequence: 99 }, Uint8Array.of(1))));
    await turn();
    await turn();
  }
  await result;
});

t.test('after a lost answer what is unknown is ENOBUFS at once, and the connection goes on', async (t) => {
  const losses: readonly Arrival[] = [
    ENOBUFS,
    EMSGSIZE,
    new Uint8Array(100_000),
    datagram({ type: NLMSG.OVERRUN, flags: 0, sequence: 1, portId: 0, payload: new Uint8Array(0) }),
  ];
  for (const loss of losses) {
    const { conn, socket, time } = connect((request) => {
      if (first(request.payload) === 0) return [loss];
      return first(request.payload) === 1 ? refused(request, 17) : acknowledged(request);
    });
    const lost = { ok: false, errno: 'ENOBUFS', text: undefined };
    const known = { ok: false, errno: 'EEXIST', text: undefined };
    t.strictSame(await conn.batch(requests(3)), [lost, known, lost]);
    t.equal(time.waiting, 0, 'nothing is waited for');
    socket.kernel = acknowledged;
    t.strictSame(await conn.batch(requests(2)), [OK, OK]);
  }
});

t.test('a dump with a loss in it rejects; a question that has its answer does not', async (t) => {
  const { conn, socket } = connect((request) => [ENOBUFS, ...dumped(request, bytes(1))]);
  await t.rejects(conn.dump(request(0), first), { ...failing('ENOBUFS'), message: /answer was lost/ });
  socket.kernel = (request) => [ENOBUFS, datagram(answer(request, Uint8Array.of(8)))];
  t.equal(await conn.ask(request(0), first), 8);
  socket.kernel = () => [ENOBUFS];
  await t.rejects(conn.ask(request(0), first), failing('ENOBUFS'));
});

t.test('the rest of a dump that was given up is emptied out before the next begins', async (t) => {
  const { conn, socket, time } = connect((request) => [
    datagram(answer(request, Uint8Array.of(1), NLM_F.MULTI)),
  ]);
  const given = t.rejects(conn.dump(request(0), first), failing('ETIMEDOUT'));
  await turn();
  await time.advance(3000);
  await given;
  const rest = Array.from({ length: 200 }, () =>
    datagram(answer({ ...socket.requests[0] } as Message, Uint8Array.of(2))),
  );
  socket.deliver(...rest);
  socket.kernel = (request) => {
    // The real kernel says EBUSY while a dump is unfinished.
    return socket.unread > 0 ? refused(request, 16) : dumped(request, bytes(5));
  };
  t.strictSame(await conn.dump(request(0), first), [5]);
});

t.test('an answer that cannot be read is EPROTO, and the connection goes on', async (t) => {
  const broken: readonly Uint8Array[] = [
    Uint8Array.of(1, 2, 3),
    new Uint8Array(16),
    datagram({ type: NLMSG.ERROR, flags: 0, sequence: 1, portId: 0, payload: Uint8Array.of(1, 0, 0, 0) }),
  ];
  for (const garbage of broken) {
    const { conn, socket } = connect(() => [garbage]);
    const [result] = await conn.batch([request(1)]);
    t.match(result, { ok: false, errno: 'EPROTO' });
    socket.kernel = acknowledged;
    t.strictSame(await conn.batch([request(1)]), [OK]);
  }
});

t.test('a value that its reader refuses rejects the dump, but only at its end', async (t) => {
  const { conn, socket } = connect((request) => dumped(request, bytes(1, 2, 3), 1));
  const refuse = (payload: Uint8Array): number => {
    if (first(payload) === 1) throw new LvsError('MALFORMED', 'not this one');
    return first(payload);
  };
  await t.rejects(conn.dump(request(0), refuse), { code: 'MALFORMED', message: 'not this one' });
  t.equal(socket.unread, 0);
  t.equal(await connect((request) => dumped(request, bytes(3))).conn.ask(request(0), first), 3);
});

t.test('a send that fails is an error of each of its requests, and only of them', async (t) => {
  const { conn, socket, turns } = connect(acknowledged);
  turns.before = () => {
    if (turns.count === 0) socket.sendFails = -errnoValue('ENOMEM');
  };
  const results = await conn.batch(requests(130));
  t.strictSame(
    results.slice(0, 64),
    Array.from({ length: 64 }, () => OK),
  );
  const unsent = { ok: false, errno: 'ENOMEM', text: 'the request was not sent' };
  t.strictSame(
    results.slice(64, 128),
    Array.from({ length: 64 }, () => unsent),
  );
  t.strictSame(results.slice(128), [OK, OK]);
});

t.test('a socket that cannot receive any more fails what is under way', async (t) => {
  const { conn } = connect(() => [-errnoValue('EIO')]);
  await t.rejects(conn.ask(request(0), first), failing('EIO'));
});

t.test('close rejects what is under way, what waits and what comes after', async (t) => {
  const { conn, socket, time } = connect(silent);
  const canceled = failing('ECANCELED');
  const all = [
    t.rejects(conn.dump(request(1), first), canceled),
    t.rejects(conn.batch(requests(2)), canceled),
    t.rejects(conn.acknowledge(request(3)), canceled),
  ];
  await turn();
  conn.close();
  conn.close();
  await Promise.all(all);
  await t.rejects(conn.ask(request(4), first), canceled);
  t.equal(socket.closed, 1);
  t.equal(socket.requests.length, 1, 'nothing more was sent');
  t.equal(time.waiting, 0);
});

t.test('close between two parts of a batch rejects it', async (t) => {
  const { conn, turns } = connect(acknowledged);
  turns.before = () => conn.close();
  await t.rejects(conn.batch(requests(65)), failing('ECANCELED'));
});
