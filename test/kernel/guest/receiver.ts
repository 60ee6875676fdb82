/** `main.mjs receiver PORT`: a webhook receiver; tells its parent each request, body and headers, as it came. */
import { createServer, type IncomingMessage } from 'node:http';

export interface Received {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export async function program([port = '']: readonly string[]): Promise<void> {
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const received: Received = { headers: request.headers, body };
      process.send?.(received);
      response.writeHead(204).end();
    });
  });
  server.listen(Number(port), '127.0.0.1');
  process.once('disconnect', () => process.exit(0));
}
