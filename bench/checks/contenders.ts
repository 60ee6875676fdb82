/** The same checks three times: as keepalived reads them, as lvsentry reads them, and as a C program does the least. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../test/kernel/lab.js';

export type Kind = 'tcp' | 'http';

/** Each server is probed once a second. */
export interface Load {
  readonly kind: Kind;
  readonly checks: number;
}

export const PORT = 8000;
const SERVERS_PER_SERVICE = 100;

/** 127.1.0.0 and on: all of them are this host. */
function address(index: number): string {
  return `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

function services({ checks }: Load): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(checks / SERVERS_PER_SERVICE) }, (_, service) => {
    const first = service * SERVERS_PER_SERVICE;
    return Array.from({ length: Math.min(SERVERS_PER_SERVICE, checks - first) }, (_, server) =>
      address(first + server),
    );
  });
}

const vip = (service: number): string => `10.1.${service >> 8}.${service & 255}`;

const CHECKERS: Readonly<Record<Kind, string>> = {
  tcp: 'TCP_CHECK { connect_timeout 1 }',
  http: 'HTTP_GET { url { path / status_code 200 } connect_timeout 1 }',
};

/** keepalived wants every brace and word on a line of its own. */
function spread(block: string): string {
  return block
    .replace(/\{ ?/g, '{\n')
    .replace(/ ?\}/g, '\n}\n')
    .replace(/ (status_code|connect_timeout)/g, '\n$1');
}

function keepalivedConfig(load: Load): string {
  const blocks = services(load).map((servers, service) => {
    const real = servers.map(
      (server) => `real_server ${server} ${PORT} {\nweight 1\n${spread(CHECKERS[load.kind])}}`,
    );
    const head = `virtual_server ${vip(service)} ${PORT} {\ndelay_loop 1\nlb_algo rr\nlb_kind DR\nprotocol TCP`;
    return `${head}\n${real.join('\n')}\n}`;
  });
  return `global_defs {\nrouter_id bench\n}\n${blocks.join('\n')}\n`;
}

export const PROBE_TIMEOUT_MS = 900;

function lvsentryConfig({ kind, ...load }: Load, socket: string, more = ''): string {
  const check = `{ type: ${kind}, interval: 1s, timeout: ${PROBE_TIMEOUT_MS}ms${more} }`;
  const blocks = services({ kind, ...load }).map(
    (servers, service) =>
      ` "${service}": { address: ${vip(service)}:${PORT}, servers: [${servers.join(', ')}] }`,
  );
  return `name: bench\ntable: memory\napi: { listen: "unix:${socket}" }\ndefaults: { check: ${check} }\nservices:\n${blocks.join('\n')}\n`;
}

export interface Contender {
  readonly name: string;
  /** Program and arguments; what it needs is written into `folder`. */
  command(load: Load, folder: string): readonly string[];
  readonly environment?: (folder: string) => Readonly<Record<string, string>>;
  /** How many checks are known to pass, by what it has said so far. */
  readonly passed?: (said: string) => number;
}

export const apiSocket = (folder: string): string => join(folder, 'api.sock');

/** Of lvsentry with http checks whose first result is the verdict. @returns its file */
export function flappingConfig(checks: number, folder: string): string {
  const file = join(folder, 'flapping.yaml');
  writeFileSync(file, lvsentryConfig({ kind: 'http', checks }, apiSocket(folder), ', rise: 1, fall: 1'));
  return file;
}

export const CONTENDERS: readonly Contender[] = [
  { name: 'C', command: ({ kind, checks }, folder) => [join(folder, 'bound'), kind, `${PORT}`, `${checks}`] },
  {
    name: 'keepalived',
    command: (load, folder) => {
      const file = join(folder, 'keepalived.conf');
      writeFileSync(file, keepalivedConfig(load));
      const pids = ['-p', join(folder, 'k.pid'), '-c', join(folder, 'kc.pid')];
      return ['keepalived', '-C', '-n', '-l', '-f', file, ...pids];
    },
    environment: (folder) => ({ LD_PRELOAD: join(folder, 'table-stub.so') }),
    passed: (said) => said.match(/ (?:success|succeed on service)\.?$/gm)?.length ?? 0,
  },
  {
    name: 'lvsentry',
    command: (load, folder) => {
      const file = join(folder, 'lvsentry.yaml');
      writeFileSync(file, lvsentryConfig(load, apiSocket(folder)));
      return [process.execPath, join(PROJECT, 'dist/bundle/src/main.js'), 'run', '-c', file];
    },
  },
];
