/** `npm run bench -- vrrp [lateness|takeover|many]`: how late adverts and take-overs are, beside keepalived, in namespaces. */
import { whyNot } from '../test/interop/stage.js';
import { keepalivedVersion, loadText, machineText, publish } from './report.js';
import { measureLateness } from './vrrp/lateness.js';
import { measureMany } from './vrrp/many.js';
import { closeRigs } from './vrrp/rig.js';
import { latenessTable, manyTable, takeOverTable } from './vrrp/tables.js';
import { measureTakeOver } from './vrrp/takeover.js';

const say = (text: string): void => console.error(`${text} (load ${loadText()}) ...`);

function listOf(notes: readonly string[]): readonly string[] {
  return notes.length === 0 ? [] : [notes.map((note) => `* ${note}`).join('\n')];
}

const PARTS: Readonly<Record<string, () => Promise<string>>> = {
  lateness: async () => {
    const { rows, notes } = await measureLateness(say);
    return ['### Adverts', latenessTable(rows), ...listOf(notes)].join('\n\n');
  },
  takeover: async () => {
    const { rows, notes } = await measureTakeOver(say);
    return ['### Take-over after SIGKILL of the master', takeOverTable(rows), ...listOf(notes)].join('\n\n');
  },
  many: async () => `### 255 virtual routers on one interface\n\n${manyTable(await measureMany(say))}`,
};

async function main(names: readonly string[]): Promise<number> {
  const reason = whyNot('keepalived');
  if (reason !== undefined) {
    console.error(`cannot measure: ${reason}`);
    return 1;
  }
  const parts = names.length > 0 ? names : Object.keys(PARTS);
  const before = loadText();
  const texts: string[] = [];
  for (const name of parts) {
    const part = PARTS[name];
    if (part === undefined) {
      console.error(`npm run bench -- vrrp [${Object.keys(PARTS).join('|')}]`);
      return 2;
    }
    texts.push(await part());
  }
  const where = `${machineText()}, keepalived ${keepalivedVersion()}; load average ${before} before and ${loadText()} after.`;
  const how =
    'Directors in network namespaces, one veth each, and a bridge; the times are those of tcpdump, by the kernel, as ' +
    'frames leave a director. lvsentry asks for real-time scheduling by itself, keepalived by configuration.';
  const body = [where, how, ...texts].join('\n\n');
  console.log(body);
  if (names.length === 0) publish('VRRP', body);
  return 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void closeRigs().finally(() => process.exit(130)));
try {
  process.exitCode = await main(process.argv.slice(2));
} finally {
  await closeRigs();
}
