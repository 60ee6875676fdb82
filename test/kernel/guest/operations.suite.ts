/** The commands that docs/operations.md tells an operator to run beside a real table, as they stand there. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Assertions } from '../../contract/assertions.js';
import { KERNEL_LINES } from '../../operations/rows.js';
import { eventually } from '../client.js';
import { PROJECT } from '../lab.js';
import { GuestProcess } from '../process.js';
import { ip, run } from './run-program.js';

const FOLDER = process.env.LAB_SHARED ?? '';
const FILE = join(FOLDER, 'operations.yaml');
const OLD = join(FOLDER, 'operations-old.yaml');
const PROGRAM = join(PROJECT, 'dist/bundle/src/main.js');
const PATIENCE_MS = 30_000;

const configuration = (weight: number): string => `
name: director-a
api: { listen: "unix:/run/lvsentry.sock" }
services:
  web:
    address: 192.0.2.254:80
    check: { type: tcp }
    servers: [{ address: 10.0.0.2, weight: ${weight} }, 10.0.0.3]
`;

const WEB = '-A -t 192.0.2.254:80 -s wlc';
const first = (weight: number): string => `-a -t 192.0.2.254:80 -r 10.0.0.2:80 -g -w ${weight}`;
const SECOND = '-a -t 192.0.2.254:80 -r 10.0.0.3:80 -g -w 1';
const FOREIGN = ['-A -t 192.0.2.9:25 -s rr', '-a -t 192.0.2.9:25 -r 10.0.0.9:25 -g -w 1'];

const saved = (): string[] => run('ipvsadm', '-Sn').trimEnd().split('\n').sort();
const ipvsadm = (line: string): string => run('ipvsadm', ...line.split(' '));
const done = new Set<string>();

/** What a shell makes of a line of the document. @throws where no document has it */
function script(line: string): string {
  if (!KERNEL_LINES.includes(line)) throw new Error(`no document has this line: ${line}`);
  done.add(line);
  const here = line.replace(/ FILE\b|\/etc\/lvsentry\/lvsentry\.yaml/, ` ${FILE}`).replace(' OLD', ` ${OLD}`);
  return here.replace(/^lvsentry/, `exec '${process.execPath}' '${PROGRAM}'`);
}

function says(line: string): { readonly code: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script(line)], { encoding: 'utf8' });
  return { code: status, text: stdout + stderr };
}

function expects(t: Assertions, line: string, code: number, text: RegExp): void {
  const said = says(line);
  t.ok(said.code === code && text.test(said.text), `${line}: exit code ${said.code}\n${said.text}`);
}

async function allowed(t: Assertions): Promise<void> {
  ipvsadm('-A -t 192.0.2.254:80 -s rr');
  for (const line of FOREIGN) ipvsadm(line);
  const before = saved();
  expects(t, 'lvsentry plan -c FILE --allow add,weight', 0, /^# withheld: ipvsadm -E -t 192\.0\.2\.254:80/m);
  t.strictSame(saved(), before, 'a plan changes nothing');
  expects(t, 'lvsentry apply -c FILE --allow add,weight', 0, /^# withheld: ipvsadm -E -t 192\.0\.2\.254:80/m);
  t.ok(!saved().includes(WEB), 'the scheduler is as it was');
  expects(t, 'lvsentry apply -c OLD --assume', 0, /^ipvsadm -E -t 192\.0\.2\.254:80/m);
  t.strictSame(saved(), [WEB, first(5), SECOND, ...FOREIGN].sort(), 'the old file is in force');
}

async function onTrial(t: Assertions): Promise<void> {
  const [old, now] = [5, 1].map((weight) => [WEB, first(weight), SECOND, ...FOREIGN].sort());
  for (const [line, kept] of [
    ['lvsentry confirm --rollback', false],
    ['lvsentry confirm', true],
  ] as const) {
    const apply = new GuestProcess('bash', ['-c', script('lvsentry apply -c FILE --confirm 5m')]);
    const isTried = (): boolean => JSON.stringify(saved()) === JSON.stringify(now);
    t.ok(await eventually(isTried, PATIENCE_MS), apply.lines.join('\n'));
    expects(t, line, 0, kept ? /^confirmed/ : /^taken back/);
    await eventually(() => !apply.running, PATIENCE_MS);
    t.equal(apply.child.exitCode, kept ? 0 : 1, 'its exit code says which');
    t.strictSame(saved(), kept ? now : old, line);
  }
}

async function lookedAt(t: Assertions): Promise<void> {
  expects(t, 'lvsentry table', 0, /192\.0\.2\.254:80[\s\S]*10\.0\.0\.2:80/);
  expects(t, 'lvsentry table -c FILE', 0, /192\.0\.2\.9:25[\s\S]*foreign|foreign[\s\S]*192\.0\.2\.9:25/);
  expects(t, 'lvsentry table --rate', 0, /10\.0\.0\.2:80/);
  expects(t, 'lvsentry table --connections', 0, /^/);
  const before = saved();
  const { text } = says('lvsentry table --save');
  ipvsadm('-C');
  const restored = spawnSync('ipvsadm', ['-R'], { input: text, encoding: 'utf8' });
  t.equal(restored.stderr, '', 'there, ipvsadm -R reads it');
  t.strictSame(saved(), before, 'and the table is carried over');
}

async function realServer(t: Assertions): Promise<void> {
  const up = 'lvsentry realserver up --vip 192.0.2.254 --vip 2001:db8::254 --tunnel';
  expects(t, up, 0, /^ok +192\.0\.2\.254\/32 is on tunl0\n[\s\S]*^ok +2001:db8::254\/128 is on ip6tnl0$/m);
}

async function doctor(t: Assertions): Promise<void> {
  expects(t, 'lvsentry doctor -c /etc/lvsentry/lvsentry.yaml', 0, /^ok +ipvs: [\s\S]*^errors: 0/m);
  expects(t, 'lvsentry doctor --json', 0, /"id":"ipvs"/);
}

export async function suite(t: Assertions): Promise<void> {
  ip('link set lo up');
  ip('address add 192.0.2.254/32 dev lo');
  writeFileSync(FILE, configuration(1));
  writeFileSync(OLD, configuration(5));
  const steps = [
    { name: 'a plan is applied without a daemon, as far as it is allowed', body: allowed },
    { name: 'a change on trial is taken back, or kept', body: onTrial },
    { name: 'the table is looked at, and carried to another machine', body: lookedAt },
    { name: 'a director is examined', body: doctor },
    { name: 'a real server of tunnels is put up', body: realServer },
  ];
  for (const { name, body } of steps) await t.test(name, body);
  t.strictSame([...done].sort(), [...KERNEL_LINES].sort(), 'every line was run');
}
