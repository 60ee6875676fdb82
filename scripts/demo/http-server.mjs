/** A real server of the demo: HTTP. Arguments: name, port. Its parent says `hang` and `heal`, and ends it by leaving. */
import { createServer } from 'node:http';

const [name, port] = process.argv.slice(2);
let hanging = false;

const server = createServer((request, response) => {
  // Accepted and never answered: what a machine does whose disk or database is stuck.
  if (hanging) return;
  const found = request.url === '/' || request.url === '/health';
  response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain', connection: 'close' });
  response.end(found ? `${name} is well\n` : 'not here\n');
});

process.on('message', (order) => {
  hanging = order === 'hang';
  if (!hanging) server.closeAllConnections();
});
process.once('disconnect', () => process.exit(0));
server.once('error', (error) => {
  process.send({ failed: error.code });
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1', () => process.send('listening'));
