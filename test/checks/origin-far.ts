/** The far side of the origin tests: servers that tell whoever asks where it came from. In a network of its own. */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';

const tell: RequestListener = (request, response) => {
  response.end(`from ${request.socket.remoteAddress ?? 'nobody'};`);
};
const [key = '', cert = ''] = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'));

const echo = createSocket('udp4', (_bytes, from) =>
  echo.send(`from ${from.address};`, from.port, from.address),
);
echo.bind(8001, '0.0.0.0', () => {
  createServer(tell).listen(8000, '0.0.0.0', () => {
    createSecure({ key, cert }, tell).listen(8002, '0.0.0.0', () => {
      process.stdout.write('listening\n');
    });
  });
});
