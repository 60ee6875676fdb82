/** The routes that change something: `POST /v1/servers/SERVER/VERB` and `POST /v1/reload`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { unreachable } from '../core/assert.js';
import { type Millis, parseDuration } from '../core/units.js';
import { type AppliedChange, appliedChangeOf } from '../plan-words.js';
import { type AdminCommand, commandEntry } from '../policy/command.js';
import { serverId } from '../policy/judge.js';
import type { AdminWord } from '../policy/model.js';
import type { Place } from '../policy/news.js';
import { refuseMethods, sendError } from './failure.js';
import type { Guard } from './guard.js';
import { ERROR_SCHEMA, RELOAD_SCHEMA, SERVERS_SCHEMA } from './schemas.js';
import { findServers } from './servers.js';
import type { ApiSource } from './source.js';
import { placeStatus, type Servers } from './status.js';

const BODY_BYTES_MAX = 4096;
const REASON_LENGTH_MAX = 200;
const WEIGHT_MAX = 2 ** 31 - 1;
/** Of a path that takes `POST`. */
const OTHER_METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const VERBS = ['drain', 'undrain', 'disable', 'enable', 'weight'] as const;
type Verb = (typeof VERBS)[number];

export interface Reload {
  readonly reloaded: boolean;
  readonly faults: readonly string[];
  readonly changes: readonly AppliedChange[];
  readonly done: number;
  readonly failed: number;
}

interface Order {
  readonly service: string | undefined;
  readonly reason: string | undefined;
  readonly command: AdminCommand;
}

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

const wrong = (problem: string) => ({ ok: false, problem }) as const;

const MEMBERS: Readonly<Record<Verb, readonly string[]>> = {
  drain: ['service', 'reason', 'deadline', 'finish'],
  undrain: ['service', 'reason'],
  disable: ['service', 'reason'],
  enable: ['service', 'reason'],
  weight: ['service', 'reason', 'weight'],
};

function textOf(body: Readonly<Record<string, unknown>>, name: string): Read<string | undefined> {
  const value = body[name];
  if (value === undefined) return { ok: true, value };
  if (typeof value !== 'string' || value === '' || value.length > REASON_LENGTH_MAX || /\p{Cc}/u.test(value))
    return wrong(`\`${name}\` is text on one line, at most ${REASON_LENGTH_MAX} characters`);
  return { ok: true, value };
}

function drainOf({ deadline, finish }: Readonly<Record<string, unknown>>): Read<AdminCommand> {
  let within: Millis | undefined;
  if (deadline !== undefined) {
    within = typeof deadline === 'string' ? parseDuration(deadline) : undefined;
    if (within === undefined || !Number.isSafeInteger(within) || within < 1)
      return wrong('`deadline` is a duration such as "10m"');
  }
  if (finish !== undefined && finish !== 'drained' && finish !== 'disabled')
    return wrong('`finish` is "drained" or "disabled"');
  return { ok: true, value: { kind: 'drain', within, finish: finish ?? 'drained' } };
}

function weightOf({ weight }: Readonly<Record<string, unknown>>): Read<AdminCommand> {
  if (weight === null) return { ok: true, value: { kind: 'weight', weight: undefined } };
  if (typeof weight !== 'number' || !Number.isInteger(weight) || weight < 0 || weight > WEIGHT_MAX)
    return wrong(`\`weight\` is a whole number from 0 to ${WEIGHT_MAX}, or null for the configured one`);
  return { ok: true, value: { kind: 'weight', weight } };
}

function commandOf(verb: Verb, body: Readonly<Record<string, unknown>>): Read<AdminCommand> {
  switch (verb) {
    case 'drain':
      return drainOf(body);
    case 'weight':
      return weightOf(body);
    case 'undrain':
    case 'disable':
    case 'enable':
      return { ok: true, value: { kind: verb } };
    default:
      return unreachable(verb);
  }
}

/** What a body asks for. @param given the body as JSON; undefined where there is none */
export function readOrder(verb: Verb, given: unknown): Read<Order> {
  const body = given ?? {};
  if (typeof body !== 'object' || Array.isArray(body)) return wrong('the body is not a JSON object');
  const members = body as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(members).find((name) => !MEMBERS[verb].includes(name));
  if (unknown !== undefined)
    return wrong(`there is no "${unknown.slice(0, 40)}"; there are ${MEMBERS[verb].join(', ')}`);
  const service = textOf(members, 'service');
  const reason = textOf(members, 'reason');
  const command = commandOf(verb, members);
  if (!service.ok) return service;
  if (!reason.ok) return reason;
  if (!command.ok) return command;
  return { ok: true, value: { service: service.value, reason: reason.value, command: command.value } };
}

function serversOf(places: readonly Place[], source: ApiSource, changed: number): Servers {
  const world = source.world();
  return {
    changed,
    kept: world.config.state !== undefined,
    servers: places.map(({ service, server }) => placeStatus(service, server, world)),
  };
}

/** `GET /v1/servers/SERVER?service=NAME` */
export function oneServer(source: ApiSource, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { server } = request.params as { readonly server: string };
  const { service } = request.query as { readonly service?: unknown };
  const only = typeof service === 'string' ? service : undefined;
  const found = findServers(source.world().config, server, only);
  if (!found.ok) return sendError(reply, 404, 'NOT_FOUND', found.problem);
  return reply.send(serversOf(found.places, source, 0));
}

/** The operator's words that a command comes to; those that change nothing are left out. */
function wordsOf(places: readonly Place[], order: Order, source: ApiSource, by: string): AdminWord[] {
  const given = { at: source.clock.wall(), by, reason: order.reason };
  const { admin } = source.world();
  return places.flatMap(({ service, server }) => {
    const id = serverId(service, server);
    const before = admin.get(id)?.entries.find((entry) => entry.source === 'operator');
    const entry = commandEntry(order.command, before, given);
    return entry === before ? [] : { server: id, source: 'operator' as const, entry, by };
  });
}

/** Puts these routes into a server. */
export function addControl(app: FastifyInstance, source: ApiSource, guard: Guard): void {
  const writers = new WeakMap<FastifyRequest, string>();
  // Before a body is read.
  const onRequest = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const by = guard.writer(request, reply);
    if (by === undefined) return reply;
    writers.set(request, by);
    return undefined;
  };
  for (const url of [...VERBS.map((verb) => `/v1/servers/:server/${verb}`), '/v1/reload'])
    refuseMethods(app, url, OTHER_METHODS, 'POST');
  const limits = { bodyLimit: BODY_BYTES_MAX, onRequest };
  for (const verb of VERBS)
    app.post(
      `/v1/servers/:server/${verb}`,
      { ...limits, schema: { response: { 200: SERVERS_SCHEMA, 400: ERROR_SCHEMA, 404: ERROR_SCHEMA } } },
      (request, reply) => {
        const order = readOrder(verb, request.body);
        if (!order.ok) return sendError(reply, 400, 'BAD_REQUEST', order.problem);
        const { server } = request.params as { readonly server: string };
        const found = findServers(source.world().config, server, order.value.service);
        if (!found.ok) return sendError(reply, 404, 'NOT_FOUND', found.problem);
        const words = wordsOf(found.places, order.value, source, writers.get(request) ?? 'operator');
        if (words.length > 0) source.administer(words);
        return reply.send(serversOf(found.places, source, words.length));
      },
    );
  app.post(
    '/v1/reload',
    { ...limits, schema: { response: { 200: RELOAD_SCHEMA, 422: RELOAD_SCHEMA } } },
    async (_request, reply) => {
      const { faults, applied } = await source.reload();
      const { steps, done, failed } = applied;
      const body = {
        reloaded: faults.length === 0,
        faults,
        changes: steps.map(appliedChangeOf),
        done,
        failed,
      };
      return reply.code(faults.length === 0 ? 200 : 422).send(body);
    },
  );
}
