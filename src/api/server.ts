/** The HTTP server of the API: limits, errors, start and end. */
import fastJson from 'fast-json-stringify';
import { type FastifyInstance, fastify } from 'fastify';
import type { Listen } from '../config/model.js';
import { errorText } from '../core/errors.js';
import { addControl } from './control.js';
import { codeOfStatus, refuseClient, sendError } from './failure.js';
import { Guard } from './guard.js';
import { listenOn } from './listen.js';
import { addRoutes } from './routes.js';
import type { ApiSource } from './source.js';

const CONNECTIONS_MAX = 200;
const HEADER_BYTES_MAX = 8192;
const NAME_LENGTH_MAX = 256;
/** Milliseconds for a whole request to come; for an idle connection; and for one that takes nothing of its answer. */
const REQUEST_TIMEOUT = 5000;
const IDLE_TIMEOUT = 5000;
const STALL_TIMEOUT = 15_000;

export interface Api {
  /** Ends all connections, idle ones too. */
  close(): Promise<void>;
}

/** Makes a serializer when something is answered by it: all at once would hold main for as long as sixty probes take. */
function serializeLate(schema: unknown): (value: unknown) => string {
  let serialize: ((value: unknown) => string) | undefined;
  return (value) => {
    serialize ??= fastJson(schema as fastJson.Schema);
    return serialize(value);
  };
}

/** The server, not listening yet: tests ask it by `inject`. */
export function buildApi(source: ApiSource, listen: Listen['kind'] = 'tcp'): FastifyInstance {
  const app = fastify({
    logger: false,
    // Routes that take a body say how much; fastify wants at least one byte.
    bodyLimit: 1,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: IDLE_TIMEOUT,
    connectionTimeout: STALL_TIMEOUT,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: NAME_LENGTH_MAX },
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: 1000,
    },
    clientErrorHandler: refuseClient,
    frameworkErrors: (error, _request, reply) => {
      sendError(reply, 400, 'BAD_REQUEST', error.message);
    },
  });
  app.setSerializerCompiler(({ schema }) => serializeLate(schema));
  app.server.maxConnections = CONNECTIONS_MAX;
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, 404, 'NOT_FOUND', `there is no ${request.url.slice(0, NAME_LENGTH_MAX)}`),
  );
  app.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return sendError(reply, status, codeOfStatus(status), error.message);
    source.log?.error(
      { code: 'INTERNAL', url: request.url, stack: error.stack },
      `the API failed: ${errorText(error)}`,
    );
    return sendError(reply, 500, 'INTERNAL', 'a defect of lvsentry; its log says more');
  });
  const guard = new Guard(source, listen);
  app.addHook('onRequest', async (request, reply) => (guard.hears(request, reply) ? undefined : reply));
  app.removeContentTypeParser('text/plain');
  addRoutes(app, source);
  addControl(app, source, guard);
  return app;
}

/**
 * Listens, and answers until it is closed.
 * @throws API where it cannot listen; the text names the address and says what to do
 */
export async function startApi(listen: Listen, source: ApiSource): Promise<Api> {
  const app = buildApi(source, listen.kind);
  try {
    await listenOn(app, listen);
  } catch (thrown) {
    await app.close();
    throw thrown;
  }
  return { close: () => app.close() };
}
