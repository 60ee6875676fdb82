/** Errors as answers: `{ "error": { "code", "message" } }`, whatever went wrong. */
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ApiError } from './schemas.js';

/** What the codes mean. */
export const API_ERRORS = {
  BAD_REQUEST: 'The request is not one that can be understood.',
  FORBIDDEN: 'The request comes from a page of another site, or asks for a host that is not this machine.',
  UNAUTHORIZED: 'It takes a token of `api: tokens`, in the header `authorization: Bearer TOKEN`.',
  NOT_FOUND: 'There is no such path, no such service or no such server.',
  METHOD_NOT_ALLOWED: 'The path is there, but only for the methods in the header `allow`.',
  TIMEOUT: 'The request did not come to its end in time.',
  TOO_LARGE: 'The request has more header bytes, or more of a body, than is read.',
  TABLE: 'The table cannot be read; the message says why.',
  BUSY: 'As many streams of events are open as there may be.',
  INTERNAL: 'A defect of lvsentry; its log says more.',
} as const;

export type ApiErrorCode = keyof typeof API_ERRORS;

function errorBody(code: ApiErrorCode, message: string): ApiError {
  return { error: { code, message } };
}

export function sendError(
  reply: FastifyReply,
  status: number,
  code: ApiErrorCode,
  message: string,
): FastifyReply {
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(errorBody(code, message)));
}

/** Answers the methods that a known path has not: before a body is read, for none is wanted. */
export function refuseMethods(
  app: FastifyInstance,
  url: string,
  method: readonly string[],
  allow: string,
): void {
  app.route({
    url,
    method: [...method],
    onRequest: (request, reply) => {
      reply.header('allow', allow);
      sendError(reply, 405, 'METHOD_NOT_ALLOWED', `${request.method} is not a method of ${request.url}`);
    },
    handler: (_request, reply) => reply,
  });
}

/** The code of a status that fastify came to by itself. */
export function codeOfStatus(status: number): ApiErrorCode {
  if (status === 404) return 'NOT_FOUND';
  if (status === 413) return 'TOO_LARGE';
  return status >= 500 ? 'INTERNAL' : 'BAD_REQUEST';
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [string, ApiErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'TIMEOUT', 'the request was not complete in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'TOO_LARGE', 'too many header bytes'],
};

/** Answers what is not HTTP, or too slow or too large for it, and closes the connection. */
export function refuseClient(error: { readonly code: string }, socket: Socket): void {
  const [status, code, message] = CLIENT_ERRORS[error.code] ?? ['400 Bad Request', 'BAD_REQUEST', 'not HTTP'];
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(errorBody(code as ApiErrorCode, message));
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
