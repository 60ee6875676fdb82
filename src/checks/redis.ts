/** Redis check: a login, PING, and the server's part in replication. */
import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { REDIS_CLIENT } from '../core/redis-client.js';
import { readReplication } from '../wire/redis.js';
import { type DriverStream, probeByDriver } from './driver.js';
import { LIBRARIES } from './libraries.js';
import type { Reason } from './model.js';
import type { Now, ProbeRun } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { RedisCheck } from './spec-database.js';
import type { TlsClient } from './tls.js';

type Library = Pick<typeof import('ioredis'), 'Redis' | 'AbstractConnector'>;

/**
 * Passes when the server lets us in and answers PING, and is what `role` and `maxLag` want it to be.
 * What it refuses with (NOAUTH, WRONGPASS, LOADING, MASTERDOWN ...) is `rejected`. Phases: `login`, `request`.
 */
export function redisProber(now: Now, client: TlsClient): Prober<RedisCheck> {
  return (spec, signal) =>
    probeByDriver({ now, client }, signal, {
      target: spec.target,
      tls: spec.tls,
      load: LIBRARIES.redis,
      talk: (library, stream, run) => talk(clientOf(library, stream), run, spec),
      rejection: (thrown, { phase }) =>
        thrown instanceof Error && thrown.name === 'ReplyError'
          ? { kind: 'rejected', phase, code: undefined, detail: printable(thrown.message) }
          : undefined,
    });
}

/** A client on our connection, which it neither opens nor opens again; nothing waits inside. */
function clientOf({ Redis: Client, AbstractConnector }: Library, stream: DriverStream): Redis {
  class OwnConnection extends AbstractConnector {
    constructor() {
      super(0);
    }

    connect(): Promise<Socket> {
      // It asks nothing of a socket that the stream has not.
      return Promise.resolve(stream as unknown as Socket);
    }

    override disconnect(): void {
      stream.destroy();
    }
  }
  const redis = new Client({
    Connector: OwnConnection,
    ...REDIS_CLIENT,
  });
  // What goes wrong comes back as the failure of a command too.
  redis.on('error', () => undefined);
  return redis;
}

async function talk(redis: Redis, run: ProbeRun, spec: RedisCheck): Promise<Reason> {
  await redis.connect();
  if (spec.login !== undefined) {
    const { user, password } = spec.login;
    run.enter('login');
    const reply = await (user === undefined ? redis.auth(password) : redis.auth(user, password));
    if (reply !== 'OK') return strange(run, 'AUTH');
  }
  run.enter('request');
  if (spec.database > 0 && (await redis.select(spec.database)) !== 'OK') return strange(run, 'SELECT');
  if ((await redis.ping()) !== 'PONG') return strange(run, 'PING');
  if (spec.role === 'any' && spec.maxLag === undefined) return { kind: 'ok' };
  const info: unknown = await redis.info('replication');
  return judge(run, spec, typeof info === 'string' ? info : '');
}

function strange({ phase }: ProbeRun, command: string): Reason {
  return { kind: 'protocol-error', phase, detail: `strange reply to ${command}` };
}

/** Holds what the server says of its replication against what is wanted. */
function judge(run: ProbeRun, { role, maxLag }: RedisCheck, info: string): Reason {
  const found = readReplication(info);
  const { phase } = run;
  const wrong = (detail: string): Reason => ({ kind: 'bad-content', phase, detail });
  if (found === undefined) return strange(run, 'INFO');
  if (role !== 'any' && found.role !== role) return wrong(`a ${found.role}, not a ${role}`);
  if (found.role === 'master') return { kind: 'ok' };
  if (!found.linked) return wrong('the replica has no connection to its master');
  if (maxLag === undefined) return { kind: 'ok' };
  if (found.silentSeconds === undefined) return strange(run, 'INFO');
  return found.silentSeconds * 1000 <= maxLag
    ? { kind: 'ok' }
    : wrong(`the replica has not heard its master for ${found.silentSeconds} s`);
}
