/** Files and folders on a real disk: what cannot be read, what is too large, what is no text. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getuid, seteuid } from 'node:process';
import t from 'tap';
import { faultText } from '../../src/config/faults.js';
import {
  FILE_BYTES_MAX,
  FOLDER_CHARACTERS_MAX,
  FOLDER_FILES_MAX,
  loadBesides,
  loadConfig,
  REFERENCE_BYTES_MAX,
  readText,
} from '../../src/config/load.js';
import { millis } from '../../src/core/units.js';
import { serviceText } from './given.js';

const MACHINE = { env: { TOKEN: 'abc' }, hostName: 'director' };
const EMPTY = 'services: {}\n';

/** The faults with the folder's name cut off. */
function faultsOf(folder: string, name = ''): readonly string[] {
  const result = loadConfig(join(folder, name), MACHINE);
  return result.ok ? [] : result.faults.map((fault) => faultText(fault).replaceAll(`${folder}/`, ''));
}

t.test('a file that is there is read; the host gives the name', async (t) => {
  const folder = t.testdir({ 'a.yaml': EMPTY });
  const result = loadConfig(join(folder, 'a.yaml'), MACHINE);
  t.ok(result.ok && result.config.name === 'director');
  const here = loadConfig(join(folder, 'a.yaml'));
  t.ok(here.ok && here.config.name.length > 0, 'the real machine');
});

/** [bytes of the file, the fault] */
const BAD_BYTES: readonly (readonly [Buffer | string, string])[] = [
  ['', 'a.yaml: the file is empty; the least it can hold is `services: {}`'],
  ['\n# nothing\n', 'a.yaml: the file is empty; the least it can hold is `services: {}`'],
  [Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0]), 'a.yaml: is not text: a zero byte at offset 7'],
  [Buffer.from([0x61, 0xff, 0xfe, 0x62]), 'a.yaml: is not text in UTF-8'],
  [Buffer.from('services: {}\u00e9', 'latin1'), 'a.yaml: is not text in UTF-8'],
  [Buffer.from('\ufeffservices: {}', 'utf16le'), 'a.yaml: is UTF-16 text; save it as UTF-8'],
];

t.test('empty and binary files say what they are', async (t) => {
  for (const [bytes, expected] of BAD_BYTES) {
    const folder = t.testdir();
    writeFileSync(join(folder, 'a.yaml'), bytes);
    t.same(faultsOf(folder, 'a.yaml'), [expected]);
  }
});

t.test('a byte order mark is no fault and moves no column', async (t) => {
  const folder = t.testdir({ 'a.yaml': '\ufeffservices: {}\n', 'b.yaml': '\ufeffx: 1\nservices: {}\n' });
  t.same(faultsOf(folder, 'a.yaml'), []);
  t.same(faultsOf(folder, 'b.yaml'), ['b.yaml:1:1: x: unknown key']);
});

t.test('10 MB are refused unread', async (t) => {
  const folder = t.testdir({ 'a.yaml': '' });
  truncateSync(join(folder, 'a.yaml'), 10_000_000);
  const before = process.resourceUsage().fsRead;
  const started = process.hrtime.bigint();
  t.same(faultsOf(folder, 'a.yaml'), ['a.yaml: has 10000000 bytes; more than 4194304 are refused unread']);
  t.ok(process.hrtime.bigint() - started < 500_000_000n, 'at once');
  t.equal(process.resourceUsage().fsRead, before);
});

t.test('a file of just the allowed size is read', async (t) => {
  const comment = (bytes: number) => `${EMPTY}#${'x'.repeat(bytes - EMPTY.length - 1)}`;
  const folder = t.testdir({ 'a.yaml': comment(FILE_BYTES_MAX), 'b.yaml': comment(FILE_BYTES_MAX + 1) });
  t.same(faultsOf(folder, 'a.yaml'), []);
  t.match(faultsOf(folder, 'b.yaml'), [/^b\.yaml: has 4194305 bytes/]);
});

t.test('what is no file is refused without waiting for it', async (t) => {
  const folder = t.testdir({ 'a.yaml': EMPTY });
  execFileSync('mkfifo', [join(folder, 'fifo.yaml')]);
  symlinkSync('loop.yaml', join(folder, 'loop.yaml'));
  t.same(faultsOf(folder, 'fifo.yaml'), ['fifo.yaml: is not a regular file']);
  t.same(faultsOf(folder, 'loop.yaml'), ['loop.yaml: cannot be read: too many symbolic links']);
  t.same(faultsOf(folder, 'nothing.yaml'), ['nothing.yaml: does not exist']);
  t.same(faultsOf(folder, 'a.yaml/x'), ['a.yaml/x: does not exist: a part of the path is no folder']);
  t.same(faultsOf('/dev', 'zero'), ['zero: is not a regular file']);
  t.match(faultsOf('/proc/self', 'mem'), [/^mem: cannot be read: /]);
});

t.test('a file that may not be read says so', async (t) => {
  const folder = t.testdir({ 'a.yaml': EMPTY, locked: { 'b.yaml': EMPTY } });
  chmodSync(join(folder, 'a.yaml'), 0o000);
  chmodSync(join(folder, 'locked'), 0o000);
  const asRoot = getuid?.() === 0;
  // Root may read everything, so the test gives its rights away for a moment.
  if (asRoot) seteuid?.(65_534);
  const direct = readText(join(folder, 'a.yaml'), 1000);
  const whole = loadConfig(join(folder, 'locked'), MACHINE);
  if (asRoot) seteuid?.(0);
  chmodSync(join(folder, 'locked'), 0o700);
  t.match(direct, { ok: false, problem: /^cannot be read: permission denied$/ });
  t.match(whole, { ok: false, faults: [{ line: 0, message: /^cannot be read: permission denied$/ }] });
});

t.test('a file that has no size, as in /proc, is read to its end and not beyond the limit', async (t) => {
  t.match(readText('/proc/self/status', 65_536), { ok: true, text: /^Name:/ });
  t.match(readText('/proc/self/status', 10), { ok: false, problem: 'has more than 10 bytes' });
});

t.test('a folder is merged in the order of its names; other files in it do not matter', async (t) => {
  const folder = t.testdir({
    '10-web.yaml': 'services:\n  web: { address: "192.0.2.1:80", servers: [192.0.2.2] }\n',
    '20-ftp.yml': 'services:\n  ftp: { address: "192.0.2.1:21", servers: [192.0.2.2] }\n',
    '00-base.json': '{ "name": "director-a" }',
    '10-web.yaml~': 'not: read',
    '.hidden.yaml': 'not: read',
    README: 'not read',
  });
  const result = loadConfig(folder, MACHINE);
  t.ok(result.ok);
  if (!result.ok) return;
  t.equal(result.config.name, 'director-a');
  t.same(
    result.config.services.map(({ name }) => name),
    ['web', 'ftp'],
  );
});

t.test('faults of a folder come file by file, those that cannot be read included', async (t) => {
  const folder = t.testdir({
    'a.yaml': 'services: {}\nx: 1\n',
    'b.yaml': '',
    'd.yaml': 'name: 5\n',
  });
  mkdirSync(join(folder, 'c.yaml'));
  t.same(
    faultsOf(folder).map((text) => text.split(': ')[0]),
    ['a.yaml:2:1', 'b.yaml', 'c.yaml', 'd.yaml:1:7'],
  );
});

t.test('a folder has at least one file, and bounds', async (t) => {
  const none = t.testdir({ 'a.txt': EMPTY });
  t.match(faultsOf(none), [/this folder holds no file that ends in \.yaml, \.yml or \.json$/]);
  const many = t.testdir(
    Object.fromEntries(Array.from({ length: FOLDER_FILES_MAX + 1 }, (_, index) => [`${index}.yaml`, EMPTY])),
  );
  t.match(faultsOf(many), [/this folder holds 257 files; 256 are allowed$/]);
  const comment = `#${'x'.repeat(FILE_BYTES_MAX - 1)}`;
  const large = t.testdir(
    Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`${index}.yaml`, comment])),
  );
  const limit = new RegExp(`^4\\.yaml: with this file the folder holds more than ${FOLDER_CHARACTERS_MAX} `);
  t.match(faultsOf(large).at(-1), limit);
});

t.test(
  'secrets and authorities come from real files and the environment, once for all who use them',
  async (t) => {
    const folder = t.testdir({ secret: 'pa ss\n', large: 'x'.repeat(REFERENCE_BYTES_MAX + 1), binary: '\0' });
    const load = (password: string) => {
      const lines = `address: 192.0.2.1:21\ncheck: { type: ftp, user: u, password: "${password}" }\nservers: [192.0.2.2, 192.0.2.3]`;
      writeFileSync(join(folder, 'a.yaml'), serviceText(lines));
      const result = loadConfig(join(folder, 'a.yaml'), MACHINE);
      if (!result.ok) return result.faults.map(({ message }) => message.replaceAll(`${folder}/`, ''));
      return result.config.services[0]?.servers.map(({ checks }) => checks[0].probe);
    };
    t.match(load(`\${file:${folder}/secret}`), [{ password: 'pa ss' }, { password: 'pa ss' }]);
    t.match(load(`x-\${env:TOKEN}`), [{ password: 'x-abc' }, { password: 'x-abc' }]);
    const faultOf = (name: string) => load(`\${file:${folder}/${name}}`);
    const path = "services.web.check.password: the secret's file";
    t.same(faultOf('nothing'), [`${path} nothing does not exist`]);
    t.same(faultOf('large'), [`${path} large has 1048577 bytes; more than 1048576 are refused unread`]);
    t.same(faultOf('binary'), [`${path} binary is not text: a zero byte at offset 0`]);
  },
);

/** 2,000 services of one server. */
function manyServices(port: number): string {
  const each = (_: unknown, index: number): string =>
    `  s${index}: { address: "10.1.${index >> 8}.${index & 255}:${port}", servers: [192.0.2.1] }\n`;
  return `services:\n${Array.from({ length: 2000 }, each).join('')}`;
}

t.test('beside other work a configuration is parsed in many short slices, and is the same', async (t) => {
  const path = join(t.testdir({ 'a.yaml': manyServices(80) }), 'a.yaml');
  const whole = loadConfig(path);
  let [now, turns] = [0, 0];
  const outside = {
    clock: {
      monotonic() {
        now += 3;
        return millis(now);
      },
    },
    turns: {
      soon(run: () => void) {
        turns += 1;
        writeFileSync(path, EMPTY);
        run();
      },
    },
  };
  t.same(
    await loadBesides(path, outside),
    whole,
    'the files are read once: what they say by now is for the next',
  );
  t.ok(turns > 20, `others had ${turns} turns`);
  turns = 0;
  t.same(await loadBesides(path, outside), loadConfig(path));
  t.equal(turns, 0, 'what is short is done at once');
});

t.test('beside other work all faults are told too', async (t) => {
  const path = join(t.testdir({ 'a.yaml': manyServices(70_000) }), 'a.yaml');
  const outside = { clock: { monotonic: () => millis(0) }, turns: { soon: (run: () => void) => run() } };
  t.same(await loadBesides(path, outside), loadConfig(path));
  t.notOk(loadConfig(path).ok);
});
