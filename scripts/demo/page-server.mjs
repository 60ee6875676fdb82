/** The page of a director in `npm run demo -- directors`: says whose it is. Arguments: name, port. Ends with its parent. */
import { createServer } from 'node:http';

const [name, port] = process.argv.slice(2);

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', connection: 'close' });
  response.end(`${name}\n`);
});

process.stdin.resume().once('end', () => process.exit(0));
server.listen(Number(port), () => process.stdout.write('listening\n'));
