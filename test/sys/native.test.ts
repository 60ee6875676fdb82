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
