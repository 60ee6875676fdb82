/** Asks the daemon by HTTP. */
import { type IncomingMessage, type OutgoingHttpHeaders, request as requestOf } from 'node:http';
import { listenText } from '../api/listen.js';
import type { Listen } from '../config/model.js';
import { errorText, LvsError } from '../core/errors.js';

/** Milliseconds without a sign of life. */
const SILENCE_MAX = 5000;
/** Ten thousand servers take about three. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
  ENOTFOUND: 'there is no such name',
  ECONNRESET: 'it closed the connection',
};

/** @throws USAGE where the text is no address */
export function parseUrl(text: string): Listen {
  if (text.startsWith('unix:/')) return { kind: 'unix', path: text.slice('unix:'.length) };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || url.pathname !== '/' || url.search !== '')
    throw new LvsError('USAGE', `"${text}" is not an address: write http://HOST:PORT or unix:/PATH`);
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 80 };
}

/** The error of a daemon that is not there. */
export function unreachable(where: Listen, problem: string): LvsError {
  const address = listenText(where);
  return new LvsError(
    'API',
    `cannot reach the daemon at ${address}: ${problem}; is \`lvsentry run\` running? -c or --url names another address`,
    { address },
  );
}

/** The head of an answer; its body is to be read or destroyed. @throws API (rejects) */
export function open(
  where: Listen,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: string,
): Promise<IncomingMessage> {
  const address = where.kind === 'unix' ? { socketPath: where.path } : { host: where.host, port: where.port };
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const options = { ...address, method, path, headers, agent: false, timeout: SILENCE_MAX };
    const request = requestOf(options, resolve);
    request.on('timeout', () => request.destroy(new Error(`no answer in ${SILENCE_MAX / 1000} s`)));
    request.on('error', (error: Error & { readonly code?: string }) =>
      reject(unreachable(where, PROBLEMS[error.code ?? ''] ?? errorText(error))),
    );
    request.end(body);
  });
}

async function readBody(where: Listen, response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    response.destroy();
    throw unreachable(where, errorText(error));
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The body of a 200 answer. @throws API where there is none; its text says what to do */
export async function askDaemon(where: Listen, path: string): Promise<string> {
  const response = await open(where, path);
  const body = await readBody(where, response);
  if (response.statusCode !== 200)
    throw unreachable(where, `it answered with status ${response.statusCode}, which lvsentry does not do`);
  return body;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

function refusal(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { readonly error?: { readonly message?: unknown } };
    return typeof error?.message === 'string' ? error.message : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Tells the daemon to do something, or (without a body) asks for something that may not be there.
 * @param body as JSON
 * @returns an answer of 200 or 422
 * @throws API where there is no daemon; REFUSED where it says no, with its words (rejects)
 */
export async function tellDaemon(
  where: Listen,
  path: string,
  { token, body }: { readonly token: string | undefined; readonly body?: string },
): Promise<Answer> {
  const headers: OutgoingHttpHeaders = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  const response = await open(where, path, headers, body);
  const text = await readBody(where, response);
  const status = response.statusCode ?? 0;
  if (status === 200 || status === 422) return { status, body: text };
  const message = refusal(text);
  if (message === undefined)
    throw unreachable(where, `it answered with status ${status}, which lvsentry does not do`);
  const advice = status === 401 ? '; give one with --token-file or LVSENTRY_TOKEN' : '';
  throw new LvsError('REFUSED', `${message}${advice}`, { status });
}
