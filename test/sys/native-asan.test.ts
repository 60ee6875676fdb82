import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const SCRIPT = fileURLToPath(new URL('../../../scripts/test-native-asan.mjs', import.meta.url));
/** Exit code of the script where there are no sanitizers. */
const ABSENT = 3;

const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT], {
  encoding: 'utf8',
  timeout: 280_000,
});
const skip = status === ABSENT ? `no sanitizers: ${stderr.trim()}` : false;

t.test('the cases of the native part are clean under AddressSanitizer and UBSan', { skip }, async (t) => {
  if (status !== 0) t.comment(`${stdout}\n${stderr}`.slice(-8000));
  t.equal(status, 0);
  t.match(stdout, /all cases ran/);
});
