/** What `npm run demo -- kernel` runs in the lab: breaks and heals servers, and shows ipvsadm's view after each step. */
import { get } from 'node:http';
import { main, run, Stop, say } from '../lib/process.mjs';
import { readStatus } from './daemon.mjs';
import { Stage } from './stage.mjs';

const VERDICT_MS = 60_000;
const POLL_MS = 200;

/** @type {readonly (readonly ['stop' | 'start' | 'hang', string, 'up' | 'down'])[]} */
const STEPS = [
  ['stop', 'web2', 'down'],
  ['start', 'web2', 'up'],
  ['hang', 'web2', 'down'],
  ['start', 'web2', 'up'],
  ['hang', 'ftp1', 'down'],
  ['start', 'ftp1', 'up'],
];

async function untilVerdict(name, wanted) {
  const end = performance.now() + VERDICT_MS;
  while (performance.now() < end) {
    const status = await readStatus();
    const servers = status?.services.flatMap((service) => service.servers) ?? [];
    if (servers.find((server) => server.name === name)?.verdict === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Stop(`${name} is not ${wanted} within ${VERDICT_MS / 1000} s`);
}

function showTable() {
  const { status, output } = run('ipvsadm', ['-Ln']);
  if (status !== 0) throw new Stop(`ipvsadm: ${output}`);
  say(`\n$ ipvsadm -Ln\n${output}\n`);
}

/** A request through the virtual service: who answered, in its own words. */
function askThroughService() {
  return new Promise((resolve) => {
    const request = get('http://127.0.0.1:8480/', { agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(text.trim()));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', (error) => resolve(error.message));
  });
}

async function showTraffic() {
  const answers = [];
  for (let index = 0; index < 4; index += 1) answers.push(await askThroughService());
  say(`$ curl http://127.0.0.1:8480/   (four times)\n${answers.join('\n')}`);
}

await main(async () => {
  const stage = new Stage();
  try {
    await stage.start('kernel', 'dist/bundle/src/main.js');
    await stage.daemon.ready();
    for (const name of ['web1', 'web2', 'ftp1']) await untilVerdict(name, 'up');
    showTable();
    await showTraffic();
    for (const [verb, name, verdict] of STEPS) {
      say(`\n$ npm run demo -- ${verb} ${name}`);
      await stage.servers.order(verb, name);
      await untilVerdict(name, verdict);
      showTable();
      if (name === 'web2') await showTraffic();
    }
  } finally {
    const left = await stage.end();
    if (left !== undefined) say(left);
  }
  say('the end: the demo took its services out of the table again');
  showTable();
  return 0;
});
