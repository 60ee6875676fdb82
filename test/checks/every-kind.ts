/** One check of every kind, and the ways in which servers and machines may be trouble to all of them. */
import type { CheckType, ProbeSpec } from '../../src/checks/model.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { TlsSettings } from '../../src/checks/spec-tls.js';
import { check as httpCheck } from './http-talks.js';

export interface KindRow {
  /** What it speaks over; `none`: its answer is on this machine. */
  readonly over: 'tcp' | 'udp' | 'icmp' | 'none';
  readonly spec: (target: Target, tls?: TlsSettings) => ProbeSpec;
  /** With TLS from the first byte. */
  readonly tls?: 'never' | 'always';
  /** The first bytes of an answer that claims to be a gigabyte long, or that never ends; in the form of latin1. */
  readonly huge?: string;
}

const LOGIN = { user: 'probe', password: 's3cret' };
const implicit = (tls: TlsSettings | undefined) =>
  tls === undefined ? undefined : ({ start: 'implicit', ...tls } as const);
const SQL = {
  ...LOGIN,
  database: undefined,
  statement: { sql: 'SELECT 1', value: '1' },
  role: 'any',
  maxLag: undefined,
} as const;
const STATUS = [[200, 299]] as const;
const dns = (transport: 'udp' | 'tcp') => (target: Target) =>
  ({ type: 'dns', target, transport, name: 'a.test', record: 1, rcode: 0, answer: undefined }) as const;
const sip = (transport: 'udp' | 'tcp') => (target: Target) =>
  ({ type: 'sip', target, transport, status: STATUS }) as const;
const mailbox = (type: 'pop3' | 'imap' | 'nntp') => (target: Target, tls?: TlsSettings) =>
  ({ type, target, login: LOGIN, tls: implicit(tls) }) as const;
const HEADER = 'HTTP/1.1 200 OK\r\nX: ';

/** By type: TypeScript refuses a kind without a row. */
export const BY_TYPE: Readonly<Record<CheckType, KindRow>> = {
  tcp: { over: 'tcp', tls: 'never', spec: (target) => ({ type: 'tcp', target }) },
  ping: { over: 'icmp', spec: (target) => ({ type: 'ping', target }) },
  'send-expect': {
    over: 'tcp',
    spec: (target, tls) => ({
      type: 'send-expect',
      target,
      steps: [{ kind: 'expect', text: 'hello' }],
      tls,
    }),
  },
  udp: {
    over: 'udp',
    spec: (target) => ({
      type: 'udp',
      target,
      payload: { form: 'text', value: 'hello' },
      replyRequired: true,
      replyPattern: '01 02',
    }),
  },
  http: { over: 'tcp', tls: 'never', huge: HEADER, spec: (target) => httpCheck(target) },
  https: {
    over: 'tcp',
    tls: 'always',
    spec: (target, tls) => httpCheck(target, { type: 'https', tls }),
  },
  grpc: {
    over: 'tcp',
    huge: '\0\x0f\xff\x01\x04\0\0\0\x01',
    spec: (target, tls) => ({ type: 'grpc', target, service: '', host: 'a.test', tls }),
  },
  websocket: {
    over: 'tcp',
    huge: 'HTTP/1.1 101 Switching Protocols\r\nX: ',
    spec: (target, tls) => ({
      type: 'websocket',
      target,
      path: '/',
      host: 'a.test',
      headers: [],
      credentials: undefined,
      subprotocol: undefined,
      ping: true,
      tls,
    }),
  },
  ftp: {
    over: 'tcp',
    huge: '220-',
    spec: (target, tls) => ({
      type: 'ftp',
      target,
      ...LOGIN,
      file: undefined,
      fileBy: 'size',
      tls: implicit(tls),
    }),
  },
  smtp: {
    over: 'tcp',
    huge: '220-',
    spec: (target, tls) => ({ type: 'smtp', target, hello: 'a.test', tls: implicit(tls) }),
  },
  pop3: { over: 'tcp', huge: '+OK ', spec: mailbox('pop3') },
  imap: { over: 'tcp', huge: '* OK ', spec: mailbox('imap') },
  nntp: { over: 'tcp', huge: '200 ', spec: mailbox('nntp') },
  memcached: {
    over: 'tcp',
    tls: 'never',
    huge: 'VERSION ',
    spec: (target) => ({ type: 'memcached', target }),
  },
  tls: {
    over: 'tcp',
    tls: 'always',
    spec: (target, tls) => ({ type: 'tls', target, tls: tls as TlsSettings }),
  },
  dns: { over: 'udp', spec: dns('udp') },
  ntp: { over: 'udp', spec: (target) => ({ type: 'ntp', target, maxStratum: 15 }) },
  sip: { over: 'udp', spec: sip('udp') },
  redis: {
    over: 'tcp',
    huge: '$1073741824\r\n',
    spec: (target, tls) => ({
      type: 'redis',
      target,
      login: undefined,
      database: 0,
      role: 'any',
      maxLag: undefined,
      tls: implicit(tls),
    }),
  },
  mysql: {
    over: 'tcp',
    huge: '\xff\xff\xff\0',
    spec: (target, tls) => ({ type: 'mysql', target, ...SQL, tls: implicit(tls) }),
  },
  postgres: {
    over: 'tcp',
    huge: 'R\x40\0\0\0',
    spec: (target, tls) => ({ type: 'postgres', target, ...SQL, tls: implicit(tls) }),
  },
  ldap: {
    over: 'tcp',
    huge: '\x30\x84\x40\0\0\0',
    spec: (target, tls) => ({ type: 'ldap', target, login: LOGIN, search: undefined, tls: implicit(tls) }),
  },
  agent: {
    over: 'tcp',
    tls: 'never',
    huge: 'up ',
    spec: (target) => ({ type: 'agent', target, send: undefined }),
  },
  exec: {
    over: 'none',
    spec: (target) => ({
      type: 'exec',
      target,
      argv: ['/bin/true'],
      user: undefined,
      environment: {},
      contract: 'exit',
    }),
  },
  file: {
    over: 'none',
    spec: (target) => ({
      type: 'file',
      target,
      path: '/proc/sys/kernel/pid_max',
      weight: undefined,
      reverse: true,
    }),
  },
  radius: {
    over: 'udp',
    spec: (target) => ({ type: 'radius', target, secret: 's3cret', login: LOGIN, rejectPasses: false }),
  },
  mqtt: {
    over: 'tcp',
    huge: '\x20\xff\xff\xff\x7f',
    spec: (target, tls) => ({
      type: 'mqtt',
      target,
      level: 4,
      clientId: undefined,
      login: LOGIN,
      ping: true,
      tls: implicit(tls),
    }),
  },
};

/** Those, and the same kinds over another transport. */
export const ROWS: Readonly<Record<string, KindRow>> = {
  ...BY_TYPE,
  'http 1.0': {
    over: 'tcp',
    tls: 'never',
    huge: HEADER,
    spec: (target) => httpCheck(target, { version: '1.0' }),
  },
  'http 2': {
    over: 'tcp',
    huge: '\0\x0f\xff\x01\x04\0\0\0\x01',
    spec: (target, tls) => {
      if (tls === undefined) return httpCheck(target, { version: '2' });
      return httpCheck(target, { version: '2', type: 'https', tls: { ...tls, alpn: ['h2'] } });
    },
  },
  'dns tcp': { over: 'tcp', tls: 'never', huge: '\xff\xff', spec: dns('tcp') },
  'sip tcp': { over: 'tcp', tls: 'never', huge: 'SIP/2.0 200 OK\r\nX: ', spec: sip('tcp') },
};

/** Names of rows. */
export function rowsOver(...over: readonly KindRow['over'][]): string[] {
  return Object.keys(ROWS).filter((name) => over.includes(ROWS[name]?.over ?? 'none'));
}
