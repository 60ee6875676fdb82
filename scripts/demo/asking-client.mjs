/**
 * The client of `npm run demo -- directors`: asks an address for its page, over and over, each time on a new connection.
 * A line of JSON for each answer: when it came (milliseconds since 1970), and from whom. Ends with its parent.
 */
import { get } from 'node:http';

const EVERY_MS = 20;
const PATIENCE_MS = 250;

const [host, port] = process.argv.slice(2);

function ask() {
  const request = get({ host, port, agent: false, timeout: PATIENCE_MS }, (response) => {
    let text = '';
    response.on('data', (part) => {
      text += part;
    });
    response.on('end', () =>
      process.stdout.write(`${JSON.stringify({ at: Date.now(), who: text.trim() })}\n`),
    );
    response.on('error', () => undefined);
  });
  // From the beginning of the request, not from its last byte: a frozen director accepts and says nothing.
  const limit = setTimeout(() => request.destroy(), PATIENCE_MS);
  request.on('close', () => clearTimeout(limit));
  request.on('error', () => undefined);
}

process.stdin.resume().once('end', () => process.exit(0));
setInterval(ask, EVERY_MS);
