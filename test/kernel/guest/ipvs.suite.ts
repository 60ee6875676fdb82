/**
 * What the codec and the client take for granted about the kernel and the contract of `IpvsTable` cannot ask: requests
 * that our encoder would never write, what others leave in the table, a module that goes and comes.
 */
import { ByteWriter } from '../../../src/core/bytes.js';
import { LvsError } from '../../../src/core/errors.js';
import { IpvsClient } from '../../../src/ipvs/client.js';
import { IPVS_FAMILY, operationRequest } from '../../../src/ipvs/codec.js';
import { serviceText } from '../../../src/ipvs/keys.js';
import type { Forward, Operation, ServiceKey } from '../../../src/ipvs/model.js';
import { NetlinkConnection } from '../../../src/netlink/conn.js';
import type { NetlinkResult } from '../../../src/netlink/exchange.js';
import { GenlFamily } from '../../../src/netlink/genl.js';
import { systemTimers, systemTurns } from '../../../src/sys/clock.js';
import { openNetlink } from '../../../src/sys/netlink.js';
import {
  AttributeReader,
  putBytes,
  putNest,
  putU8,
  putU16le,
  putU32le,
} from '../../../src/wire/attributes.js';
import { GENL_HDRLEN, readGenlHeader, writeGenlHeader } from '../../../src/wire/genetlink.js';
import type { Assertions } from '../../contract/assertions.js';
import { outcomes } from '../../contract/place.js';
import { dest, key, service, table } from '../../ipvs/build.js';
import { run } from './run-program.js';

type Fill = (writer: ByteWriter) => void;

const GUE: Forward = { method: 'tunnel', type: 'gue', port: 6080, checksum: 'checksum' };
const addService: Operation = { kind: 'add-service', service: service() };
const addDest = (forward: Forward = { method: 'direct' }, port = 80): Operation => ({
  kind: 'add-dest',
  service: key(),
  dest: dest('192.0.2.2', { forward }, port),
});

const newClient = (): IpvsClient => new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });

/** Requests as bytes. */
class Raw {
  readonly conn = new NetlinkConnection(openNetlink(16), systemTimers, systemTurns);
  readonly family = new GenlFamily(this.conn, IPVS_FAMILY, () => new LvsError('IPVS_ABSENT', 'gone'));

  async send(payload: Uint8Array): Promise<string> {
    const [result] = await this.family.batch([payload]);
    return result === undefined || result.ok ? 'ok' : result.errno;
  }

  async words(payload: Uint8Array): Promise<NetlinkResult | undefined> {
    return (await this.family.batch([payload]))[0];
  }
}

/** A request without one attribute of its nest, and `fill` in its place. */
function altered(
  operation: Operation,
  nest: number,
  without: number,
  fill: Fill = () => undefined,
): Uint8Array {
  const whole = operationRequest(operation);
  const writer = new ByteWriter();
  writeGenlHeader(writer, readGenlHeader(whole));
  const reader = AttributeReader.over(whole, GENL_HDRLEN);
  while (reader.next()) {
    const inner = reader.nested();
    const isOurs = reader.type === nest;
    putNest(writer, reader.type, (into) => {
      while (inner.next()) if (!isOurs || inner.type !== without) putBytes(into, inner.type, inner.bytes());
      if (isOurs) fill(into);
    });
  }
  return writer.finish();
}

/** One subtest on an empty table. */
async function onKernel(
  t: Assertions,
  name: string,
  body: (t: Assertions, client: IpvsClient, raw: Raw) => Promise<void>,
): Promise<void> {
  await t.test(name, async (t) => {
    const client = newClient();
    const raw = new Raw();
    try {
      await body(t, client, raw);
    } finally {
      await client.flush();
      client.close();
      raw.conn.close();
    }
  });
}

/** What makes the codec write everything, always. */
async function requests(t: Assertions): Promise<void> {
  await onKernel(t, 'a request without a part of a service or a server is EINVAL', async (t, client, raw) => {
    for (const type of [1, 2, 3, 4, 6, 7, 8, 9]) {
      t.equal(await raw.send(altered(addService, 1, type)), 'EINVAL', `service without attribute ${type}`);
    }
    await client.apply([addService]);
    for (const type of [1, 2, 3, 4, 5, 6]) {
      t.equal(await raw.send(altered(addDest(), 2, type)), 'EINVAL', `server without attribute ${type}`);
    }
    t.strictSame(await client.dump(), table([service(), []]));
  });

  await onKernel(t, 'an edit of a server resets what it leaves out', async (t, client, raw) => {
    await client.apply([addService, addDest(GUE)]);
    const edit: Operation = { kind: 'edit-dest', service: key(), dest: dest('192.0.2.2', { forward: GUE }) };
    for (const type of [13, 15]) {
      await client.apply([edit]);
      t.equal(await raw.send(altered(edit, 2, type)), 'ok');
      const [seen] = [...((await client.read(key()))?.dests.values() ?? [])];
      const forward = type === 13 ? { ...GUE, type: 'ipip' } : { ...GUE, checksum: 'none' };
      t.strictSame(seen?.settings.forward, forward, `without attribute ${type}`);
    }
  });

  await onKernel(t, 'a scheduler’s name ends with NUL', async (t, client, raw) => {
    const name =
      (text: string): Fill =>
      (writer) =>
        putBytes(writer, 6, Buffer.from(text));
    t.equal(await raw.send(altered(addService, 1, 6, name('rr'))), 'EINVAL');
    t.equal(await raw.send(altered(addService, 1, 6, name('rr\0'))), 'ok');
    t.equal((await client.read(key()))?.service.settings.scheduler, 'rr');
  });

  await onKernel(t, 'a service of IPv6 without persistence needs a prefix, too', async (t, client, raw) => {
    const add: Operation = { kind: 'add-service', service: service(key('2001:db8::1')) };
    const prefix =
      (bits: number): Fill =>
      (writer) =>
        putU32le(writer, 9, bits);
    for (const bits of [0, 129])
      t.equal(await raw.send(altered(add, 1, 9, prefix(bits))), 'EINVAL', `/${bits}`);
    t.strictSame(outcomes(await client.apply([add])), ['ok']);
  });

  await onKernel(t, 'a bad value at the top is refused in the kernel’s own words', async (t, client, raw) => {
    const writer = new ByteWriter();
    writeGenlHeader(writer, { command: 12, version: 1 });
    putU8(writer, 4, 1);
    t.strictSame(await raw.words(writer.finish()), {
      ok: false,
      errno: 'ERANGE',
      text: 'Attribute failed policy validation',
    });
    t.equal((await client.timeouts()).tcp, 900);
  });
}

/** What others may leave in the table. */
async function foreigners(t: Assertions): Promise<void> {
  await onKernel(
    t,
    'the port of a server is stored as it is given, whatever the forwarding',
    async (t, client) => {
      const tunnel = { method: 'tunnel', type: 'ipip', port: 0, checksum: 'none' } as const;
      await client.apply([addService, addDest({ method: 'direct' }, 8080), addDest(tunnel, 8081)]);
      t.strictSame(
        [...((await client.read(key()))?.dests.keys() ?? [])].sort(),
        ['192.0.2.2:8080', '192.0.2.2:8081'],
        'to make it the service’s port is the configuration’s task',
      );
    },
  );

  await onKernel(t, 'a time-out alone makes no service persistent', async (t, client, raw) => {
    t.equal(await raw.send(altered(addService, 1, 8, (writer) => putU32le(writer, 8, 300))), 'ok');
    t.strictSame(await client.dump(), table([service(), []]));
  });

  await onKernel(
    t,
    'a service of another protocol is accepted, and left out of the dump',
    async (t, client, raw) => {
      const protocol: Fill = (writer) => putU16le(writer, 2, 99);
      t.equal(await raw.send(altered(addService, 1, 2, protocol)), 'ok');
      t.strictSame(await client.dump(), new Map());
      await client.apply([addService]);
      t.strictSame(await client.dump(), table([service(), []]));
    },
  );

  await onKernel(t, 'a mask with holes is accepted, and is no prefix', async (t, client, raw) => {
    const persistence = { timeoutSeconds: 60, prefix: 24 };
    const add: Operation = { kind: 'add-service', service: service(key(), { persistence }) };
    const mask: Fill = (writer) => putBytes(writer, 9, Uint8Array.of(255, 0, 255, 0));
    t.equal(await raw.send(altered(add, 1, 9, mask)), 'ok');
    t.equal((await client.read(key()))?.service.settings.persistence?.prefix, 0);
  });

  await onKernel(
    t,
    'forwarding that we have no word for is accepted, and an edit repairs it',
    async (t, client, raw) => {
      await client.apply([addService]);
      const strange: readonly (readonly [number, Fill])[] = [
        [3, (writer) => putU32le(writer, 3, 5)],
        [13, (writer) => putU8(writer, 13, 9)],
        [15, (writer) => putU16le(writer, 15, 3)],
      ];
      for (const [type, fill] of strange) {
        t.equal(await raw.send(altered(addDest(GUE), 2, type, fill)), 'ok', `attribute ${type}`);
        const forwards = async () =>
          [...((await client.read(key()))?.dests.values() ?? [])].map(({ settings }) => settings.forward);
        t.strictSame(await forwards(), [{ method: 'bypass' }]);
        await client.apply([
          { kind: 'edit-dest', service: key(), dest: dest('192.0.2.2', { forward: GUE }) },
        ]);
        t.strictSame(await forwards(), [GUE]);
        await client.apply([{ kind: 'delete-dest', service: key(), dest: dest('192.0.2.2').key }]);
      }
    },
  );
}

/** The plan of 1,000 services with 10 servers each. */
function largePlan(): Operation[] {
  const plan: Operation[] = [];
  for (let index = 0; index < 1000; index += 1) {
    const its: ServiceKey = key(`10.0.${index >> 8}.${index & 255}`);
    plan.push({ kind: 'add-service', service: service(its) });
    for (let last = 1; last <= 10; last += 1) {
      plan.push({ kind: 'add-dest', service: its, dest: dest(`172.16.${index >> 8}.${last}`) });
    }
  }
  return plan;
}

async function large(t: Assertions): Promise<void> {
  await onKernel(
    t,
    '1,000 services with 10 servers each: loaded, refused, dumped whole',
    async (t, client) => {
      const plan = largePlan();
      const timed = async <Value>(name: string, work: () => Promise<Value>): Promise<Value> => {
        const began = performance.now();
        const value = await work();
        t.comment(`${name}: ${Math.round(performance.now() - began)} ms`);
        return value;
      };
      const loaded = await timed('load', () => client.apply(plan));
      t.strictSame([...new Set(outcomes(loaded))], ['ok']);
      const again = await timed('load again, all refused', () => client.apply(plan));
      t.strictSame([...new Set(outcomes(again))], ['EEXIST'], 'no answer is lost');
      const observed = await timed('dump', () => client.dump());
      t.equal(observed.size, 1000);
      t.strictSame([...new Set([...observed.values()].map(({ dests }) => dests.size))], [10]);
      t.ok(observed.has(serviceText(key('10.0.3.231'))));
      t.equal(run('ipvsadm', '-Sn').trim().split('\n').length, 11_000, 'ipvsadm counts the same');
      await timed('flush', () => client.flush());
    },
  );

  await onKernel(t, 'dumps that are asked for at once wait for each other', async (t, client) => {
    await client.apply([addService, addDest()]);
    const dumps = await Promise.all([client.dump(), client.dump(), client.read(key()), client.dump()]);
    for (const dump of [dumps[0], dumps[1], dumps[3]]) t.equal(dump.size, 1);
    t.equal(dumps[2]?.dests.size, 1);
  });
}

async function errnoOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return 'ok';
  } catch (thrown) {
    return (thrown as { code?: unknown }).code;
  }
}

async function privilege(t: Assertions): Promise<void> {
  await onKernel(
    t,
    'without CAP_NET_ADMIN reading and changing are errors of permission',
    async (t, client) => {
      await client.apply([addService]);
      process.seteuid?.(65_534);
      try {
        t.equal(await errnoOf(client.info()), 'PERMISSION');
        t.equal(await errnoOf(client.dump()), 'PERMISSION');
        t.equal(await errnoOf(client.flush()), 'PERMISSION');
        t.strictSame(outcomes(await client.apply([addDest()])), ['EPERM']);
      } finally {
        process.seteuid?.(0);
      }
      t.strictSame(await client.dump(), table([service(), []]), 'the same client works with it');
    },
  );
}

export async function suite(t: Assertions): Promise<void> {
  await requests(t);
  await foreigners(t);
  await large(t);
  await privilege(t);
}
