/** One attempt to deliver an alert by HTTP POST. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { buildConnector, Client } from 'undici';
import { errorText } from '../core/errors.js';
import type { Clock } from '../core/ports.js';
import type { WebhookTarget } from './model.js';
import { type AlertMessage, type Delivery, judgeStatus, parseRetryAfter } from './policy.js';
import { signatureHeaders } from './signature.js';

// A CommonJS package: in a bundle only its default export holds everything.
type Undici = typeof import('undici').default;

/** More than this of an answer's body is not read. The status alone decides; the body is read to be polite. */
const ANSWER_BYTES_MAX = 4096;
const HEADER_BYTES_MAX = 16_384;

/** Delivers alerts: the webhook here, others in tests. */
export interface Courier {
  /** Called once there is something to deliver to: loads what delivery needs, so that the first alert is quick. */
  prepare(): void;
  /** One attempt. It has freed its socket when the promise settles. Never rejects. */
  deliver(target: WebhookTarget, message: AlertMessage, signal: AbortSignal): Promise<Delivery>;
}

interface Attempt {
  readonly client: Client;
  /** Closes the connection at once, whatever it is doing. */
  end(): void;
}

/** A fresh connection for each attempt: alerts are rare, and a reused one may be dead without our knowing. */
function openAttempt(undici: Undici, origin: string): Attempt {
  let socket: Socket | undefined;
  const connect: buildConnector.connector = ({ protocol, hostname, port, servername }, callback) => {
    const secure = protocol === 'https:';
    const host = { host: hostname, port: Number(port) || (secure ? 443 : 80) };
    const name = servername ?? (isIP(hostname) === 0 ? hostname : undefined);
    socket = secure
      ? connectTls({
          ...host,
          ...(name === undefined ? {} : { servername: name }),
          ALPNProtocols: ['http/1.1'],
        })
      : connectTcp(host);
    const opened = socket;
    const fail = (error: Error): void => callback(error, null);
    opened.once('error', fail);
    opened.once(secure ? 'secureConnect' : 'connect', () => {
      opened.off('error', fail);
      callback(null, opened);
    });
  };
  const client = new undici.Client(origin, {
    connect,
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: HEADER_BYTES_MAX,
  });
  const ignore = (): void => undefined;
  const end = (): void => {
    client.destroy().catch(ignore);
    socket?.on('error', ignore).destroy();
  };
  return { client, end };
}

/** Credentials in the address are sent as basic authentication, RFC 7617. */
function basicHeaders(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
}

function failure(error: unknown, signal: AbortSignal): Delivery {
  if (signal.aborted) return { kind: 'failed', detail: 'no answer in time', retryAfter: undefined };
  const code = (error as { code?: unknown }).code;
  const text = errorText(error);
  const detail = typeof code !== 'string' || text.includes(code) ? text : `${code} ${text}`.trim();
  return { kind: 'failed', detail: detail.slice(0, 200), retryAfter: undefined };
}

async function post(
  undici: Undici,
  target: WebhookTarget,
  message: AlertMessage,
  signal: AbortSignal,
  clock: Clock,
): Promise<Delivery> {
  const url = new URL(target.url);
  const attempt = openAttempt(undici, url.origin);
  // An attempt that is still connecting would hold its socket past the deadline.
  signal.addEventListener('abort', attempt.end);
  try {
    const { statusCode, headers, body } = await attempt.client.request({
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'lvsentry',
        ...basicHeaders(url),
        ...signatureHeaders(message, target.secret, Math.floor(clock.wall() / 1000)),
      },
      body: message.body,
      signal,
    });
    await body.dump({ limit: ANSWER_BYTES_MAX, signal }).catch(() => undefined);
    const asked = headers['retry-after'];
    return judgeStatus(
      statusCode,
      typeof asked === 'string' ? parseRetryAfter(asked, clock.wall()) : undefined,
    );
  } finally {
    signal.removeEventListener('abort', attempt.end);
    attempt.end();
  }
}

/** Delivers by HTTP POST; undici is loaded when the first rule asks for it. */
export function webhookCourier(clock: Clock): Courier {
  let loading: Promise<Undici> | undefined;
  const load = (): Promise<Undici> => {
    loading ??= import('undici').then((module) => module.default);
    return loading;
  };
  return {
    prepare() {
      load().catch(() => undefined);
    },
    async deliver(target, message, signal) {
      try {
        const undici = await load();
        signal.throwIfAborted();
        return await post(undici, target, message, signal, clock);
      } catch (error) {
        return failure(error, signal);
      }
    },
  };
}
