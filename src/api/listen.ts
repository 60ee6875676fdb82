/** Where the API listens: a TCP port, or a unix socket that nobody else answers on. */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Listen } from '../config/model.js';
import { errorText, LvsError } from '../core/errors.js';
import { endpointText, parseIp } from '../core/ip.js';

/** Readable and writable for the owner and the group. */
const SOCKET_MODE = 0o660;

/** `127.0.0.1:8405`, `[::1]:8405`, `unix:/run/lvsentry.sock`: as the configuration has it. */
export function listenText(listen: Listen): string {
  if (listen.kind === 'unix') return `unix:${listen.path}`;
  const address = parseIp(listen.host);
  return address === undefined ? `${listen.host}:${listen.port}` : endpointText(address, listen.port);
}

function errorCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

const IN_USE =
  'somebody listens there already, perhaps another lvsentry: end it, or give `api: listen` another address';
const NO_FOLDER = 'its folder does not exist: create it, or correct `api: listen`';

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: IN_USE,
  EADDRNOTAVAIL: 'this machine has no such address: correct `api: listen`',
  EACCES: 'permission denied: run as root, or choose an address that this user may use',
  ENOTFOUND: 'there is no such name: correct `api: listen`',
};

function cannotListen(listen: Listen, why: string, cause?: unknown): LvsError {
  const address = listenText(listen);
  return new LvsError('API', `cannot listen on ${address}: ${why}`, { address }, { cause });
}

/** Whether somebody accepts connections on a unix socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // A full backlog (EAGAIN) and a refused permission are somebody, too.
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(errorCode(error))));
  });
}

/** Makes room for the socket: removes one that a daemon left behind when it was killed; nothing else is ever removed. */
async function makeRoom(listen: Listen & { kind: 'unix' }): Promise<void> {
  // libuv says EACCES for a folder that is missing.
  if (!existsSync(dirname(listen.path))) throw cannotListen(listen, NO_FOLDER);
  const stats = lstatSync(listen.path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket())
    throw cannotListen(
      listen,
      'a file that is no socket is in its place: remove it, or correct `api: listen`',
    );
  if (await answers(listen.path)) throw cannotListen(listen, IN_USE);
  unlinkSync(listen.path);
}

function inWords(listen: Listen, thrown: unknown): LvsError {
  if (thrown instanceof LvsError) return thrown;
  return cannotListen(listen, ADVICE[errorCode(thrown)] ?? errorText(thrown), thrown);
}

function bindOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
}

/**
 * Whether the API could listen: asked before the table is touched, for who listens there already may be another
 * lvsentry. Needs nothing of the HTTP server, which is loaded later.
 * @throws API where it could not; the text says what to do
 */
export async function checkListen(listen: Listen): Promise<void> {
  try {
    if (listen.kind === 'unix') await makeRoom(listen);
    else await bindOnce(listen.host, listen.port);
  } catch (thrown) {
    throw inWords(listen, thrown);
  }
}

/** @throws API where it cannot be done; the text says what to do */
export async function listenOn(app: FastifyInstance, listen: Listen): Promise<void> {
  try {
    if (listen.kind === 'tcp') {
      await app.listen({ host: listen.host, port: listen.port });
      return;
    }
    await makeRoom(listen);
    await app.listen({ path: listen.path });
    chmodSync(listen.path, SOCKET_MODE);
  } catch (thrown) {
    throw inWords(listen, thrown);
  }
}
