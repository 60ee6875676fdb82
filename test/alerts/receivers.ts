/** Real receivers of webhooks, good and bad, on loopback. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';

export interface Receiver {
  readonly port: number;
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections since the start. */
  readonly accepted: () => number;
  /** Settles when no connection is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server on a free port of a loopback address. */
export async function listen(server: Server, host = '127.0.0.1'): Promise<Receiver> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      server.emit('one-less');
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    sockets,
    accepted: () => accepted,
    async idle() {
      while (sockets.size > 0) await once(server, 'one-less');
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An HTTP server. */
export function httpReceiver(handler: RequestListener, host?: string): Promise<Receiver> {
  return listen(createServer(handler), host);
}

/** A server that does with a connection what the test says. */
export function rawReceiver(handler: (socket: Socket) => void): Promise<Receiver> {
  return listen(
    createTcpServer((socket) => {
      handler(socket);
      // A socket that is not read does not notice that the other side closed.
      socket.resume();
    }),
  );
}

export interface Received {
  readonly request: IncomingMessage;
  readonly body: string;
}

export async function readRequest(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return { request, body: Buffer.concat(chunks).toString('utf8') };
}
