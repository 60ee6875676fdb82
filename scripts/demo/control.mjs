/**
 * How `npm run demo -- stop web2` reaches the demo that runs: a unix socket in a folder that only this user can
 * enter. One request, one answer, each a line of JSON.
 */
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stop } from '../lib/process.mjs';

const REQUEST_MAX = 1024;
const ANSWER_MS = 5_000;

/** The demo's folder; one demo per user. */
export function demoFolder() {
  return join(tmpdir(), `lvsentry-demo-${process.getuid?.() ?? 0}`);
}

const socketPath = () => join(demoFolder(), 'control.sock');

/** Makes the folder, empty. @throws Stop where something that is not ours stands in its place */
export function makeFolder() {
  const folder = demoFolder();
  removeFolder();
  mkdirSync(folder, { mode: 0o700 });
  chmodSync(folder, 0o700);
  return folder;
}

export function removeFolder() {
  const folder = demoFolder();
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory() || found.uid !== process.getuid())
    throw new Stop(`${folder} is in the way and is not ours: remove it`);
  rmSync(folder, { recursive: true, force: true });
}

/** @returns {Promise<string>} the first line that comes */
function readLine(socket, max) {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > max) reject(new Error('too long'));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}

/**
 * Answers orders until it is closed.
 * @param {(order: {verb: string, name?: string}) => Promise<object>} handle a Stop becomes the answer's `error`
 */
export async function listenForOrders(handle) {
  const server = createServer(async (socket) => {
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    try {
      const order = JSON.parse(await readLine(socket, REQUEST_MAX));
      const answer = await handle(order).catch((error) => ({ error: error.message }));
      socket.end(`${JSON.stringify(answer)}\n`);
    } catch {
      socket.destroy();
    }
  });
  server.listen(socketPath());
  await once(server, 'listening');
  return server;
}

/** Asks the demo that runs. @returns {Promise<object | undefined>} undefined where none runs */
export async function ask(order) {
  const socket = connect(socketPath());
  try {
    await once(socket, 'connect');
  } catch {
    return undefined;
  }
  try {
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.write(`${JSON.stringify(order)}\n`);
    return JSON.parse(await readLine(socket, 1 << 20));
  } catch {
    throw new Stop('the demo runs, but does not answer: end it with Ctrl-C and start it again');
  } finally {
    socket.destroy();
  }
}
