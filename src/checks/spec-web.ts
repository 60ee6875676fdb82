/** Checks that ask web servers. */
import type { Target } from './spec-target.js';
import type { Login } from './spec-text.js';
import type { TlsSettings } from './spec-tls.js';

/** Inclusive: [200, 299]. */
export type StatusRange = readonly [number, number];

/** What a JSON pointer can be held against. */
export type JsonScalar = string | number | boolean | null;

/** Who asks: by name and password (RFC 7617), or by a token (RFC 6750). */
export type HttpCredentials =
  | ({ readonly kind: 'basic' } & Login)
  | { readonly kind: 'bearer'; readonly token: string };

/** One request, and what is wanted of its answer. */
export interface HttpUrl {
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST';
  readonly path: string;
  /** The Host header as sent. */
  readonly host: string;
  /** Sent as UTF-8; undefined: a request without a body. */
  readonly body: string | undefined;
  readonly status: readonly StatusRange[];
  /** Header fields that must be there, names in lower case, with a regex (core/regex-syntax.ts) for the value. */
  readonly fields: readonly (readonly [string, string])[];
  /** Text that the body must contain. */
  readonly contains: string | undefined;
  /** A regex that must match in the body. */
  readonly matches: string | undefined;
  /** Pointers (RFC 6901) and what they must point to in the body; none: the body need not be JSON. */
  readonly json: readonly (readonly [string, JsonScalar])[];
  /** MD5 or SHA-256 of the body, in lower-case hex. */
  readonly digest: string | undefined;
}

export interface HttpCheck extends HttpUrl {
  readonly type: 'http' | 'https';
  readonly target: Target;
  readonly version: '1.0' | '1.1' | '2';
  /** Further headers of every request, names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly credentials: HttpCredentials | undefined;
  /** More body than this many bytes is never read. */
  readonly bodyLimit: number;
  /** How many redirects of one request are followed. */
  readonly redirects: number;
  /** What is asked after the first request has passed. */
  readonly further: readonly HttpUrl[];
  readonly tls: TlsSettings | undefined;
}

/** The health of a gRPC service (grpc.health.v1, grpc/doc/health-checking.md). */
export interface GrpcCheck {
  readonly type: 'grpc';
  readonly target: Target;
  /** The service that is asked for; empty: the server as a whole. */
  readonly service: string;
  /** The authority as sent. */
  readonly host: string;
  readonly tls: TlsSettings | undefined;
}

/** A WebSocket is opened (RFC 6455). */
export interface WebSocketCheck {
  readonly type: 'websocket';
  readonly target: Target;
  readonly path: string;
  readonly host: string;
  /** Further headers, names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly credentials: HttpCredentials | undefined;
  /** The subprotocol to which the server must agree; undefined: none is offered. */
  readonly subprotocol: string | undefined;
  /** Whether a ping must be answered. */
  readonly ping: boolean;
  readonly tls: TlsSettings | undefined;
}
