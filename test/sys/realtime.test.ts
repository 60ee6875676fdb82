import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { compiledWhole } from '../../src/sys/realtime.js';

const REALTIME = fileURLToPath(new URL('../../src/sys/realtime.js', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./realtime-worker.js', import.meta.url));

interface Said {
  readonly refused: readonly string[];
  /** Policies as the kernel numbers them: 0 ordinary, 1 SCHED_FIFO. */
  readonly main: number;
  readonly policies: readonly number[];
}

function run(...prefix: readonly string[]): Said {
  const [command = '', ...words] = [...prefix, process.execPath, PROGRAM];
  const { stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', timeout: 60_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Said;
}

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('a thread becomes real-time alone', { skip }, async (t) => {
  const said = run();
  if (said.refused.some((text) => text.includes('EPERM'))) {
    t.pass(`this machine refuses ${said.refused.join()}`);
    return;
  }
  t.same(said.refused, []);
  t.equal(said.main, 0, 'main stays ordinary');
  const count = (policy: number): number => said.policies.filter((each) => each === policy).length;
  t.equal(count(1), 1, 'the one that asked');
  t.equal(count(0), said.policies.length - 1, 'helpers of V8 and the third thread stay ordinary');
});

t.test('without the right to it everything stays as it is, and the reason is told', { skip }, async (t) => {
  const said = run('setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice', '--');
  t.match(said.refused.join(), /real-time scheduling \(EPERM, needs CAP_SYS_NICE\)/);
  t.notOk(said.policies.some((policy) => policy !== 0));
});

t.test('modules that are compiled whole are what they are otherwise, and so is a failure', async (t) => {
  const { ip } = await compiledWhole(() => import('../../src/core/ip.js'));
  t.equal(ip('10.0.0.1'), '10.0.0.1');
  await t.rejects(
    compiledWhole(() => Promise.reject(new Error('no such module'))),
    { message: 'no such module' },
  );
});

/** Bytes of code that V8 has made of a module's functions, none of which was called. */
function compiledBytes(load: string): number {
  const program = `
    import { getHeapCodeStatistics } from 'node:v8';
    import { compiledWhole } from ${JSON.stringify(REALTIME)};
    const before = getHeapCodeStatistics().bytecode_and_metadata_size;
    await ${load};
    console.log(getHeapCodeStatistics().bytecode_and_metadata_size - before);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return Number(stdout);
}

t.test('compiled whole means that no function is left for later', async (t) => {
  const load = `import(${JSON.stringify(fileURLToPath(new URL('../../src/vrrp/engine.js', import.meta.url)))})`;
  const [lazy, whole] = [compiledBytes(load), compiledBytes(`compiledWhole(() => ${load})`)];
  t.ok(whole > 1.5 * lazy, `${whole} bytes, otherwise ${lazy}`);
});
