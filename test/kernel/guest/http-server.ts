/** `main.mjs http-server NAME PORT ...`: a real server of the topology; it obeys its parent. */
import { createServer, type RequestListener } from 'node:http';
import type { ListenOptions } from 'node:net';

/** How to answer from now on. */
export interface HttpOrder {
  readonly status: number;
}

function listenOn(name: string, at: ListenOptions, onRequest: RequestListener): void {
  const server = createServer(onRequest);
  // A connection that lives as long as both ends want: what comes in goes back.
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined);
    socket.write(`HTTP/1.1 101 Echo\r\nconnection: upgrade\r\nupgrade: echo\r\nserver: ${name}\r\n\r\n`);
    socket.pipe(socket);
  });
  server.listen(at);
}

export async function program(args: readonly string[]): Promise<void> {
  const [name = '', ...ports] = args;
  let status = 200;
  const answer: RequestListener = (request, response) => {
    // Every request is a new connection, so that the director schedules each.
    response.writeHead(status, { connection: 'close', 'content-type': 'text/plain' }).write(`${name}\n`);
    // `/for/5000` keeps its connection for five seconds.
    const [, keepMs] = /^\/for\/(\d{1,5})$/.exec(request.url ?? '') ?? [];
    if (keepMs === undefined) response.end();
    else setTimeout(() => response.end(), Number(keepMs));
  };
  process.on('message', (order: HttpOrder) => {
    status = order.status;
    process.send?.('obeyed');
  });
  process.on('disconnect', () => process.exit());
  for (const port of ports.map(Number)) {
    listenOn(name, { port, host: '0.0.0.0' }, answer);
    listenOn(name, { port, host: '::', ipv6Only: true }, answer);
  }
}
