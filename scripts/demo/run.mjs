/** The demo itself: three servers, the daemon, and orders from other shells, until it is told to end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, Stop, say } from '../lib/process.mjs';
import { ask, demoFolder } from './control.mjs';
import { checkApiPort, endLeftover, readStatus, STATUS_URL } from './daemon.mjs';
import { Stage } from './stage.mjs';
import { chooseTable } from './table.mjs';

const PROGRAM = 'dist/bundle/src/main.js';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Settles with the name of the first signal. Later ones change nothing: the end is under way. */
function untilSignal() {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve(signal));
  });
}

function printGuide({ table, why }) {
  say(`table    ${table} (${why})`);
  say(`status   ${STATUS_URL}`);
  say('break    npm run demo -- stop web2      its port refuses');
  say('         npm run demo -- hang web2      it accepts and never answers');
  say('heal     npm run demo -- start web2');
  say('end      Ctrl-C\n');
}

/** @throws Stop where it cannot start */
async function refuseSecond() {
  const running = await ask({ verb: 'list' });
  if (running !== undefined)
    throw new Stop(`a demo is running already (process ${running.pid}): end it with Ctrl-C there`);
}

/**
 * Runs until a signal comes or the daemon ends.
 * @returns {Promise<number>} the exit code
 * @throws Stop where it cannot start
 */
export async function runDemo() {
  if (!existsSync(join(ROOT, PROGRAM)))
    throw new Stop('lvsentry is not built yet: run `npm start`, which builds it and runs the demo');
  // Whoever read our output may have gone; what was started must end in order all the same.
  process.stdout.on('error', () => undefined);
  await refuseSecond();
  await endLeftover(demoFolder());
  await checkApiPort();
  const signal = untilSignal();
  const choice = chooseTable();
  const stage = new Stage();
  let ended;
  try {
    await stage.start(choice.table, PROGRAM);
    const early = await Promise.race([stage.daemon.ready(), signal]);
    if (early === undefined) {
      printGuide(choice);
      ended = await Promise.race([signal, stage.daemon.ended().then((code) => ({ code }))]);
    }
  } finally {
    const left = await stage.end();
    if (left !== undefined) say(left);
  }
  if (ended?.code !== undefined) throw new Stop(`the daemon ended (${ended.code}): the demo is over`);
  say('the demo is over; nothing is left behind');
  return 0;
}

/** `stop`, `start` or `hang` a server of the demo that runs. @throws Stop */
export async function orderDemo(verb, name) {
  const answer = await ask({ verb, name });
  if (answer === undefined) throw new Stop('no demo is running: start it with `npm start` in another shell');
  if (answer.error !== undefined) throw new Stop(answer.error);
  say(answer.done);
}

/** Prints what the daemon says of each server, beside what the demo knows of it. @throws Stop */
export async function printStatus() {
  const answer = await ask({ verb: 'list' });
  if (answer === undefined) throw new Stop('no demo is running: start it with `npm start` in another shell');
  const status = await readStatus();
  const verdicts = new Map(
    (status?.services ?? []).flatMap(({ servers }) => servers.map(({ name, verdict }) => [name, verdict])),
  );
  for (const { name, condition } of answer.servers)
    say(`${name}  ${condition.padEnd(8)}  verdict ${verdicts.get(name) ?? 'not known: no status'}`);
}
