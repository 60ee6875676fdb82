import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadNative } from '../../src/sys/native.js';
import { argumentCases } from './native/arguments.js';
import { connectorCases } from './native/connector.js';
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
all(connectorCases);
all(lifetimeCases);

/**
 * In a process of its own, for what is locked stays locked. Not among the cases: the sanitizers make mlock do nothing.
 * With its heap locked V8 (Node 20) would abort as soon as it gives pages back, which it is made to do here.
 */
t.test('code is locked, and V8 goes on', { skip: isRoot ? false : 'needs root' }, async (t) => {
  const code = `
    const result = require(process.argv[1]).lockProgram();
    let kept = [];
    for (let round = 0; round < 40; round += 1) {
      kept = Array.from({ length: 100_000 }, (_, at) => ({ at, round }));
      if (round % 10 === 9) { kept = []; gc(); }
    }
    const [, locked] = /VmLck:\\s+(\\d+)/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'));
    console.log(result, Number(locked) > 10_000);`;
  const { stdout, signal } = spawnSync(process.execPath, ['--expose-gc', '-e', code, FILE], {
    encoding: 'utf8',
  });
  t.equal(signal, null);
  t.equal(stdout, '0 true\n');
});

t.test('without the right to lock code it says so', { skip: isRoot ? false : 'needs root' }, async (t) => {
  const code = `console.log(require('os').constants.errno.EPERM, -require(process.argv[1]).lockProgram());`;
  // Without tap's part of the environment, which writes files at the end.
  const words = ['--clear-groups', '--reuid=65534', '--bounding-set=-all', 'sh', '-c'];
  const { stdout } = spawnSync(
    'setpriv',
    [...words, 'ulimit -l 0; exec env -i "$0" "$@"', process.execPath, '-e', code, FILE],
    { encoding: 'utf8' },
  );
  t.match(stdout, /^1 1\n$/);
});
