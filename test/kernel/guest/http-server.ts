/** `main.mjs http-server NAME PORT`: a real server of the topology; it obeys its parent. */
import { createServer } from 'node:http';

/** How to answer from now on. */
export interface HttpOrder {
  readonly status: number;
}

export async function program(args: readonly string[]): Promise<void> {
  const [name = '', port = ''] = args;
  let status = 200;
  const server = createServer((_request, response) => {
    // Every request is a new connection, so that the director schedules each.
    response.writeHead(status, { connection: 'close', 'content-type': 'text/plain' }).end(`${name}\n`);
  });
  process.on('message', (order: HttpOrder) => {
    status = order.status;
    process.send?.('obeyed');
  });
  process.on('disconnect', () => process.exit());
  server.listen(Number(port), '0.0.0.0');
}
