/**
 * Who may ask, and who may change something. A unix socket is guarded by its mode; a port takes a token for changes,
 * which the page of another site does not know, and answers only to names of this machine: a site whose name is made to
 * point here (DNS rebinding) is not heard.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiToken, Listen } from '../config/model.js';
import { parseIp } from '../core/ip.js';
import { sendError } from './failure.js';
import type { ApiSource } from './source.js';

/** Milliseconds from one line of the log about refused requests to the next. */
const LOG_INTERVAL = 10_000;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whose token it is. All are compared, each in the same time: how long it takes says nothing of them. */
export function ownerOf(tokens: readonly ApiToken[], given: string): string | undefined {
  const its = digest(given);
  let owner: string | undefined;
  for (const { name, token } of tokens) if (timingSafeEqual(digest(token), its)) owner = name;
  return owner;
}

/** `localhost` or an address, with or without a port. */
export function isOwnHost(host: string | undefined): boolean {
  if (host === undefined) return true;
  const name = host.replace(/:\d{1,5}$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || parseIp(name) !== undefined;
}

export class Guard {
  readonly #source: ApiSource;
  readonly #listen: Listen['kind'];
  #refused = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(source: ApiSource, listen: Listen['kind']) {
    this.#source = source;
    this.#listen = listen;
  }

  /** Whether a request is heard at all; else it is answered. */
  hears(request: FastifyRequest, reply: FastifyReply): boolean {
    if (this.#listen === 'unix' || isOwnHost(request.headers.host)) return true;
    this.#refuse(reply, 403, 'FORBIDDEN', 'ask for localhost or for an address, not for a name');
    return false;
  }

  /** Who it is that wants to change something; undefined: nobody who may, and it is answered. */
  writer(request: FastifyRequest, reply: FastifyReply): string | undefined {
    const { authorization, origin } = request.headers;
    if (this.#listen === 'unix') return 'operator';
    if (origin !== undefined && origin !== `http://${request.headers.host}`) {
      this.#refuse(reply, 403, 'FORBIDDEN', 'a page of another site may not change anything');
      return undefined;
    }
    const token = /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(authorization ?? '')?.[1];
    const owner = token === undefined ? undefined : ownerOf(this.#source.world().config.api.tokens, token);
    if (owner !== undefined) return `operator ${owner}`;
    reply.header('www-authenticate', 'Bearer');
    const problem =
      token === undefined
        ? 'a change takes a token of `api: tokens`, in the header `authorization: Bearer TOKEN`'
        : 'the token is not one of `api: tokens`';
    this.#refuse(reply, 401, 'UNAUTHORIZED', problem);
    return undefined;
  }

  #refuse(reply: FastifyReply, status: number, code: 'FORBIDDEN' | 'UNAUTHORIZED', problem: string): void {
    this.#refused += 1;
    this.#source.refused(code);
    const now = this.#source.clock.monotonic();
    if (now - this.#toldAt >= LOG_INTERVAL) {
      this.#toldAt = now;
      this.#source.log?.warn({ code, refused: this.#refused }, `the API refused a request: ${problem}`);
    }
    sendError(reply, status, code, problem);
  }
}
