import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadNative } from '../../src/sys/native.js';
import { argumentCases } from './native/arguments.js';
import { lifetimeCases } from './native/lifetime.js';
import { messageCases } from './native/messages.js';
import { isRoot, type NativeCase } from './native/support.js';

const FILE = fileURLToPath(new URL('../../../native/build/Release/lvsentry.node', import.meta.url));

const native = loadNative();

function all(cases: readonly NativeCase[]): void {
  for (const { name, needsRoot, run } of cases) {
    const skip = needsRoot === true && !isRoot ? 'needs root' : false;
    t.test(name, { skip }, async () => run(native, FILE));
  }
}

all(argumentCases);
all(messageCases);
all(lifetimeCases);

/**
 * In a process of its own, for what is locked stays locked; MCL_CURRENT 1 and MCL_ONFAULT 4 touch no page.
 * Not among the cases: the sanitizers make mlockall do nothing.
 */
t.test('memory is locked', { skip: isRoot ? false : 'needs root' }, async (t) => {
  const code = `
    const result = require(process.argv[1]).lockMemory(1 | 4);
    const [, locked] = /VmLck:\\s+(\\d+)/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'));
    console.log(result, Number(locked) > 10_000);`;
  const { stdout } = spawnSync(process.execPath, ['-e', code, FILE], { encoding: 'utf8' });
  t.equal(stdout, '0 true\n');
});
