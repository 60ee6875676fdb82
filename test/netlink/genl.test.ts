import t from 'tap';
import { errnoValue } from '../../src/core/errno.js';
import { LvsError } from '../../src/core/errors.js';
import { GenlFamily } from '../../src/netlink/genl.js';
import type { Message } from '../../src/wire/netlink.js';
import { datagram } from '../fakes/answers.js';
import { GenlKernel } from '../fakes/genl-kernel.js';
import { acknowledged, answer, dumped, type Kernel, refused } from '../fakes/netlink-socket.js';
import { bytes, connect, failing, first, OK } from './connect.js';

function open(family: Kernel) {
  const kernel = new GenlKernel('IPVS', family);
  const connected = connect(kernel.handle);
  const absent = () => new LvsError('IPVS_ABSENT', 'there is none');
  return { ...connected, kernel, family: new GenlFamily(connected.conn, 'IPVS', absent) };
}

const payload = (value: number): Uint8Array => Uint8Array.of(value);
const echo: Kernel = (request) => [datagram(answer(request, request.payload))];
const values = (requests: readonly Message[]): number[] => requests.map(({ payload }) => first(payload));

t.test('the family’s number is looked up once, and is the type of every request', async (t) => {
  const { family, kernel, socket } = open(echo);
  kernel.id = 41;
  t.equal(await family.ask(payload(7), first), 7);
  kernel.family = acknowledged;
  await family.acknowledge(payload(8));
  t.strictSame(await family.batch([payload(9)]), [OK]);
  kernel.family = (request) => dumped(request, bytes(1, 2));
  t.strictSame(await family.dump(payload(10), first), [1, 2]);
  t.equal(kernel.lookUps, 1);
  t.strictSame(
    socket.requests.map(({ type }) => type),
    [16, 41, 41, 41, 41],
  );
});

t.test('an empty batch asks nothing', async (t) => {
  const { family, socket } = open(echo);
  t.strictSame(await family.batch([]), []);
  t.equal(socket.requests.length, 0);
});

t.test('a family that is not there is an error of its own, until it is there', async (t) => {
  const { family, kernel } = open(acknowledged);
  kernel.id = undefined;
  const absent = { code: 'IPVS_ABSENT', message: 'there is none' };
  await t.rejects(family.acknowledge(payload(1)), absent);
  await t.rejects(family.ask(payload(1), first), absent);
  await t.rejects(family.dump(payload(1), first), absent);
  await t.rejects(family.batch([payload(1)]), absent);
  kernel.id = 28;
  await family.acknowledge(payload(1));
});

t.test('after the module was loaded again, every kind of request finds the new number', async (t) => {
  const kinds: readonly ((family: GenlFamily) => Promise<unknown>)[] = [
    (family) => family.acknowledge(payload(1)),
    (family) => family.batch([payload(1), payload(1)]),
    (family) => family.ask(payload(2), first),
    (family) => family.dump(payload(3), first),
  ];
  const kernelOf: Kernel = (request) => {
    if (first(request.payload) === 1) return acknowledged(request);
    return first(request.payload) === 2 ? echo(request) : dumped(request, bytes(5));
  };
  for (const use of kinds) {
    const { family, kernel } = open(kernelOf);
    await use(family);
    kernel.id = 29;
    await use(family);
    t.equal(kernel.lookUps, 2);
    await use(family);
    t.equal(kernel.lookUps, 2, 'and stays with it');
  }
});

t.test('a module that was unloaded for good is an absent family', async (t) => {
  const { family, kernel, socket } = open(acknowledged);
  await family.acknowledge(payload(1));
  kernel.id = undefined;
  await t.rejects(family.batch([payload(1), payload(2)]), { code: 'IPVS_ABSENT' });
  const before = socket.requests.length;
  await t.rejects(family.acknowledge(payload(3)), { code: 'IPVS_ABSENT' });
  t.strictSame(
    socket.requests.slice(before).map(({ type }) => type),
    [16],
    'its old number is not used any more',
  );
  kernel.id = 28;
  await family.acknowledge(payload(1));
});

t.test('ENOENT of a command stays ENOENT, and the command is not repeated', async (t) => {
  const { family, kernel, socket } = open((request) =>
    refused(request, errnoValue('ENOENT'), { text: 'no such' }),
  );
  await t.rejects(family.ask(payload(1), first), failing('ENOENT'));
  await t.rejects(family.acknowledge(payload(2)), failing('ENOENT'));
  await t.rejects(family.dump(payload(3), first), failing('ENOENT'));
  const missing = { ok: false, errno: 'ENOENT', text: 'no such' };
  t.strictSame(await family.batch([payload(4), payload(5)]), [missing, missing]);
  const sent = values(socket.requests.filter(({ type }) => type === kernel.id));
  t.strictSame(sent, [1, 2, 3, 4, 5], 'each once');
});

t.test('a batch that meets a reload repeats what was not done, in its order, once', async (t) => {
  const done: number[] = [];
  const { family, kernel } = open((request) => {
    const value = first(request.payload);
    if (value === 3 && kernel.id === 28) kernel.id = 29;
    if (value === 2) return refused(request, errnoValue('EEXIST'));
    if (value === 5) return refused(request, errnoValue('ENOENT'));
    done.push(value);
    return acknowledged(request);
  });
  const results = await family.batch([1, 2, 3, 4, 5, 6].map(payload));
  t.strictSame(
    results.map((result) => (result.ok ? 'ok' : result.errno)),
    ['ok', 'EEXIST', 'ok', 'ok', 'ENOENT', 'ok'],
  );
  t.strictSame(done, [1, 3, 4, 6]);
});

t.test('other errors pass as they are, and cause no look-up', async (t) => {
  const { family, kernel } = open((request) => refused(request, errnoValue('EBUSY')));
  await t.rejects(family.ask(payload(1), first), failing('EBUSY'));
  t.match(await family.batch([payload(1)]), [{ ok: false, errno: 'EBUSY' }]);
  t.equal(kernel.lookUps, 1);
});

t.test('a look-up that fails otherwise is no absent family', async (t) => {
  const { family, socket } = open(acknowledged);
  socket.kernel = (request) => refused(request, errnoValue('ENOMEM'));
  await t.rejects(family.acknowledge(payload(1)), failing('ENOMEM'));
  socket.kernel = () => [datagram()];
  socket.kernel = (request) => [datagram(answer(request, Uint8Array.of(1, 2, 0, 0)))];
  await t.rejects(family.acknowledge(payload(1)), { code: 'MALFORMED' });
});
