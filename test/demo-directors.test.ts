/** Drives `npm run demo -- directors`: its story is real, so what it tells is what lvsentry, the kernel and a client did. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Place, type Run, until } from './demo-run.js';
import { ROOT } from './house/project.js';
import { whyNot } from './interop/stage.js';

const TEST_MS = 500_000;

const MAC = { a: '02:00:00:00:00:0a', b: '02:00:00:00:00:0b' } as const;

interface Step {
  readonly title: RegExp;
  /** Who has the virtual IP when it is over, as the kernels have it. */
  readonly holders: string;
  /** Whose page the client got before it and gets after it. */
  readonly before: 'a' | 'b';
  readonly after: 'a' | 'b';
  /** What lvsentry says of it. */
  readonly because: RegExp;
}

const STEPS: readonly Step[] = [
  {
    title: /both are started/,
    holders: 'a',
    before: 'a',
    after: 'a',
    because: /a: .* is master.*no master was heard/,
  },
  {
    title: /SIGKILL/,
    holders: 'a and b',
    before: 'a',
    after: 'b',
    because: /b: .* is master.*no master was heard/,
  },
  {
    title: /started again/,
    holders: 'a',
    before: 'b',
    after: 'a',
    because: /b: .* is backup.*higher priority/,
  },
  {
    title: /SIGSTOP/,
    holders: 'a and b',
    before: 'a',
    after: 'b',
    because: /b: .* is master.*no master was heard/,
  },
  { title: /SIGCONT/, holders: 'a', before: 'b', after: 'a', because: /b: .* is backup.*higher priority/ },
  {
    title: /cable is pulled/,
    holders: 'b',
    before: 'a',
    after: 'b',
    because: /a: .* cannot take part: eth0 is down/,
  },
  { title: /plugged in/, holders: 'a', before: 'b', after: 'a', because: /a: .* is backup.*right again/ },
  {
    title: /falls apart/,
    holders: 'a and b',
    before: 'a',
    after: 'b',
    because: /b: .* is master.*no master was heard/,
  },
  {
    title: /whole again/,
    holders: 'a',
    before: 'b',
    after: 'a',
    because: /a: .*10\.88\.0\.2 says it is master with the lower priority 100; it was answered/,
  },
  {
    title: /deletes the virtual IP/,
    holders: 'a',
    before: 'a',
    after: 'a',
    because: /a: .*put back and announced/,
  },
  { title: /page dies/, holders: 'b', before: 'a', after: 'b', because: /b: .* is master.*lower priority/ },
  {
    title: /page is back/,
    holders: 'a',
    before: 'b',
    after: 'a',
    because: /a: .* is master with priority 150/,
  },
  {
    title: /SIGTERM/,
    holders: 'b',
    before: 'a',
    after: 'b',
    because: /b: .* is master.*the master resigned/,
  },
];

/** The text of each step, without its number: what stands between one heading and the next. */
function stepTexts(text: string): string[] {
  return text
    .split(/^(?=\d+\. )/m)
    .slice(1)
    .map((part) => part.replace(/^\d+\. /, ''));
}

/** Namespaces of the demo that this process ran, or runs. */
function namespacesOf({ pid }: Run): string[] {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n');
  return names.filter((name) => name.startsWith(`lvdemo-${pid}-`));
}

function isClean(t: Test, place: Place, run: Run): void {
  t.same(place.processes(), [], 'no process is left');
  t.same(readdirSync(place.folder), [], 'no file is left');
  t.same(namespacesOf(run), [], 'no namespace is left');
}

/** The demo, when it has come to a step. */
async function startedTo(place: Place, step: number): Promise<Run> {
  const run = place.run('directors');
  await until(
    () => `step ${step}; it says: ${run.text()}`,
    () => stepTexts(run.text()).length >= step,
  );
  return run;
}

const skip = whyNot() ?? false;
t.setTimeout(TEST_MS);

t.test('every step is told: who has the virtual IP, who answers the client, and why', { skip }, async (t) => {
  const place = new Place(t);
  const run = place.run('directors');
  t.equal(await run.ended(), 0, run.text());
  const texts = stepTexts(run.text());
  t.equal(texts.length, STEPS.length);
  for (const [index, { title, holders, before, after, because }] of STEPS.entries()) {
    const text = texts[index] ?? '';
    const who = before === after ? `${after} answers` : `${before} answered, then ${after}`;
    t.match(text, title);
    t.match(
      text,
      new RegExp(`is on ${holders}; the client's ARP cache: ${MAC[after]}, which is ${after}$`, 'm'),
    );
    t.match(text, new RegExp(`the client: ${who}; the longest time without an answer was \\d+ ms`));
    t.match(text, because);
  }
  t.match(texts[0], /^outside +eth0 51 +master .*10\.88\.0\.100/m, '`lvsentry vrrp` of the first master');
  t.notMatch(run.text(), /Error|undefined|worker-restarted|is restarted/);
  isClean(t, place, run);
});

t.test('Ctrl-C ends it in the middle of the story, and nothing is left', { skip }, async (t) => {
  const place = new Place(t);
  const run = await startedTo(place, 4);
  t.not(namespacesOf(run).length, 0);
  t.equal(await run.end('SIGINT'), 130);
  t.match(run.text(), /the demo was ended early\nnothing is left behind/);
  isClean(t, place, run);
});

t.test('one that was killed is cleared up by the next one', { skip }, async (t) => {
  const place = new Place(t);
  const killed = await startedTo(place, 2);
  t.equal(await killed.end('SIGKILL'), 'SIGKILL');
  t.not(namespacesOf(killed).length, 0, 'it could not clear up itself');
  const next = await startedTo(place, 1);
  t.same(namespacesOf(killed), []);
  t.equal(await next.end('SIGTERM'), 130);
  isClean(t, place, next);
});

/** The demo with less privilege than the test has. */
function runWithout(...restriction: readonly string[]): {
  readonly code: number | null;
  readonly text: string;
} {
  const args = [...restriction, process.execPath, 'scripts/demo.mjs', 'directors'];
  const { status, stdout, stderr } = spawnSync('setpriv', args, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, text: `${stdout}${stderr}` };
}

t.test('where it cannot run it says so, and what to do', { skip }, async (t) => {
  const user = runWithout('--reuid=65534', '--clear-groups');
  t.equal(user.code, 1);
  t.match(user.text, /^two directors need network namespaces: run `npm run demo -- directors` as root/);
  const confined = runWithout('--bounding-set=-sys_admin', '--inh-caps=-sys_admin');
  t.equal(confined.code, 1);
  t.match(confined.text, /network namespaces cannot be made here \(.+\): run this as root .*CAP_SYS_ADMIN/);
});
