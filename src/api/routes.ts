/** The routes: one row each. What they answer is made of one snapshot. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { World } from '../world.js';
import { oneServer } from './control.js';
import { EventRoute } from './events.js';
import { refuseMethods, sendError } from './failure.js';
import { liveness, readiness } from './health.js';
import { METRICS_TYPE, MetricsText } from './metrics.js';
import { planAnswer } from './plan.js';
import {
  ERROR_SCHEMA,
  EVENTS_SCHEMA,
  LIVENESS_SCHEMA,
  PLAN_SCHEMA,
  READINESS_SCHEMA,
  SERVERS_SCHEMA,
  SERVICE_SCHEMA,
  SERVICES_SCHEMA,
  STATUS_SCHEMA,
} from './schemas.js';
import { VRRP_SCHEMA } from './schemas-vrrp.js';
import { WHY_SCHEMA } from './schemas-why.js';
import type { ApiSource } from './source.js';
import { serviceStatus } from './status.js';
import { StatusTexts } from './texts.js';
import { packageVersion } from './version.js';
import { vrrpStatus } from './vrrp.js';
import { whyServer } from './why.js';

type Handler = (
  source: ApiSource,
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>;

interface Route {
  readonly url: string;
  /** Schemas of the answers, by status; none for an answer that is not JSON. */
  readonly response: Readonly<Record<number, object>>;
  readonly handle: Handler;
}

/** Keeps an answer for as long as the world does not change: pollers are many, changes are few. */
function cachedAnswer(write: (world: World, source: ApiSource) => string): Handler {
  let cache: { readonly version: number; readonly text: string } | undefined;
  return (source, _request, reply) => {
    const world = source.world();
    if (cache?.version !== world.version) cache = { version: world.version, text: write(world, source) };
    return reply.type('application/json; charset=utf-8').send(cache.text);
  };
}

const health: Handler = (source, _request, reply) => {
  const body = liveness(source.world(), source.clock.wall());
  return reply.code(body.alive ? 200 : 503).send(body);
};

const ready: Handler = (source, _request, reply) => {
  const body = readiness(source.world(), source.clock.wall());
  return reply.code(body.ready ? 200 : 503).send(body);
};

const oneService: Handler = (source, request, reply) => {
  const { name } = request.params as { readonly name: string };
  const world = source.world();
  const service = world.config.services.find((each) => each.name === name);
  if (service === undefined)
    return sendError(reply, 404, 'NOT_FOUND', `there is no service "${name}"; /v1/services lists them`);
  return reply.send(serviceStatus(service, world));
};

/** Made anew for each server: the answers that it keeps are those of one source. */
export function routes(): readonly Route[] {
  const texts = new StatusTexts();
  const events = new EventRoute();
  const metrics = new MetricsText();
  return [
    { url: '/healthz', response: { 200: LIVENESS_SCHEMA, 503: LIVENESS_SCHEMA }, handle: health },
    { url: '/readyz', response: { 200: READINESS_SCHEMA, 503: READINESS_SCHEMA }, handle: ready },
    {
      url: '/v1/status',
      response: { 200: STATUS_SCHEMA },
      handle: cachedAnswer((world) => texts.status(world, packageVersion())),
    },
    {
      url: '/v1/services',
      response: { 200: SERVICES_SCHEMA },
      handle: cachedAnswer((world) => texts.services(world)),
    },
    {
      url: '/v1/vrrp',
      response: { 200: VRRP_SCHEMA },
      handle: cachedAnswer((world) => JSON.stringify(vrrpStatus(world))),
    },
    {
      url: '/v1/plan',
      response: { 200: PLAN_SCHEMA, 503: ERROR_SCHEMA },
      handle: planAnswer,
    },
    {
      url: '/v1/events',
      response: { 200: EVENTS_SCHEMA, 400: ERROR_SCHEMA, 503: ERROR_SCHEMA },
      handle: (source, request, reply) => events.answer(source, request, reply),
    },
    {
      url: '/metrics',
      response: {},
      handle: async (source, _request, reply) =>
        reply.type(METRICS_TYPE).send(await metrics.of(source.world())),
    },
    {
      url: '/v1/servers/:server',
      response: { 200: SERVERS_SCHEMA, 404: ERROR_SCHEMA },
      handle: oneServer,
    },
    {
      url: '/v1/servers/:server/why',
      response: { 200: WHY_SCHEMA, 404: ERROR_SCHEMA },
      handle: whyServer,
    },
    { url: '/v1/services/:name', response: { 200: SERVICE_SCHEMA, 404: ERROR_SCHEMA }, handle: oneService },
  ];
}

const OTHER_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Puts the routes into a server; every other method of their paths is answered too. */
export function addRoutes(app: FastifyInstance, source: ApiSource): void {
  for (const { url, response, handle } of routes()) {
    app.get(url, { schema: { response } }, (request, reply) => handle(source, request, reply));
    refuseMethods(app, url, OTHER_METHODS, 'GET, HEAD');
  }
}
