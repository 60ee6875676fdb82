/** Runs the cases in plain node, as the sanitizers need it: `node run.js FILE.node`. */
import { loadNative } from '../../../src/sys/native.js';
import { argumentCases } from './arguments.js';
import { connectorCases } from './connector.js';
import { lifetimeCases } from './lifetime.js';
import { messageCases } from './messages.js';
import { isRoot } from './support.js';

const file = process.argv[2];
if (file === undefined) throw new Error('usage: node run.js FILE.node');
const native = loadNative(file);
for (const { name, needsRoot, run } of [
  ...argumentCases,
  ...messageCases,
  ...connectorCases,
  ...lifetimeCases,
]) {
  if (needsRoot === true && !isRoot) continue;
  console.log(name);
  await run(native, file);
}
console.log('all cases ran');
