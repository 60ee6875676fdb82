/** `lvsentry apply` and `lvsentry confirm`: once, without a daemon, and back again where nobody confirms. */

import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CliContext } from '../../src/cli/context.js';
import { saveLines } from '../../src/ipvs/ipvsadm.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import type { Operation } from '../../src/ipvs/model.js';
import { FakeTime, turn } from '../fakes/time.js';
import { dest, key, service } from '../ipvs/build.js';
import { type CliRun, CONFIG, cli, file, lend } from './context.js';

const WEB = service(key());
const FOREIGN = service(key('192.0.2.9'), { scheduler: 'rr' });
const BEFORE: readonly Operation[] = [
  { kind: 'add-service', service: service(key(), { scheduler: 'rr' }) },
  { kind: 'add-dest', service: WEB.key, dest: dest('192.0.2.2') },
  { kind: 'add-service', service: FOREIGN },
];
/** A port where nobody listens. */
const NOBODY = 'api: { listen: 127.0.0.1:1 }';
const QUIET = CONFIG.replace('api: { listen: 127.0.0.1:8405 }', NOBODY);

const BEFORE_LINES = [
  '-A -t 192.0.2.1:80 -s rr',
  '-a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 1',
  '-A -t 192.0.2.9:80 -s rr',
];
const AFTER_LINES = [
  '-A -t 192.0.2.1:80 -s wlc',
  '-a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 1',
  '-a -t 192.0.2.1:80 -r 192.0.2.3:80 -g -w 3',
  '-A -t 192.0.2.9:80 -s rr',
];

class Machine {
  readonly table = new MemoryTable();
  readonly time = new FakeTime();
  readonly trialFile: string;
  readonly path: string;
  #interrupt: () => void = () => undefined;

  constructor(t: Test, text: string) {
    const folder = mkdtempSync(join(tmpdir(), 'lvsentry-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    this.trialFile = join(folder, 'apply.json');
    this.path = file(t, text);
  }

  async fill(operations: readonly Operation[] = BEFORE): Promise<this> {
    await this.table.apply(operations);
    return this;
  }

  interrupt(): void {
    this.#interrupt();
  }

  run(...words: readonly string[]): Promise<CliRun> {
    const context: Partial<CliContext> = {
      openKernelTable: lend(this.table),
      trialFile: this.trialFile,
      clock: this.time,
      timers: this.time,
      onInterrupt: (listener) => {
        this.#interrupt = listener;
        return () => undefined;
      },
    };
    return cli(words, context);
  }

  apply(...words: readonly string[]): Promise<CliRun> {
    return this.run('apply', '-c', this.path, '--assume', ...words);
  }

  /** Until the apply waits for its confirmation. */
  async waits(): Promise<void> {
    while (!existsSync(this.trialFile) || this.time.waiting === 0) await turn();
  }

  async lines(): Promise<readonly string[]> {
    return saveLines(await this.table.dump());
  }
}

t.test('apply: the plan, once, and each change with its cause', async (t) => {
  const machine = await new Machine(t, QUIET).fill();
  const { code, out, err } = await machine.apply();
  t.same([code, err], [0, '']);
  t.same(out.split('\n'), [
    'ipvsadm -E -t 192.0.2.1:80 -s wlc  # web: the configuration says so',
    'ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.3:80 -g -w 3  # web/web2: the configuration says so',
  ]);
  t.same(await machine.lines(), AFTER_LINES, 'what is foreign stays');
  t.equal((await machine.apply()).out, '# no changes: the table is as the configuration wants it');
});

t.test('apply: without --assume servers are left as a daemon would leave them at its start', async (t) => {
  const machine = await new Machine(t, QUIET).fill();
  const { out } = await machine.run('apply', '-c', machine.path);
  t.equal(out, 'ipvsadm -E -t 192.0.2.1:80 -s wlc  # web: the configuration says so');
});

t.test('apply: --allow withholds the rest and says so', async (t) => {
  const machine = await new Machine(t, QUIET).fill();
  const { out } = await machine.apply('--allow', 'add,weight');
  t.same(out.split('\n'), [
    'ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.3:80 -g -w 3  # web/web2: the configuration says so',
    '# withheld: ipvsadm -E -t 192.0.2.1:80 -s wlc  # web: the configuration says so',
  ]);
  const json = JSON.parse((await machine.apply('--allow', 'add', '--json')).out) as unknown;
  t.match(json, { changes: [], withheld: [{ operation: 'edit-service', service: 'web' }] });
  t.match(await machine.apply('--allow', 'some'), {
    code: 2,
    err: 'lvsentry: --allow: "some" is not one of add, weight, settings, remove',
  });
});

t.test('apply: what the kernel refuses is told, and the exit code says it', async (t) => {
  const machine = new Machine(t, QUIET.replace('wlc', 'twos'));
  machine.table.apply = (operations) =>
    Promise.resolve(operations.map(() => ({ ok: false, errno: 'ENOENT', message: 'no such scheduler' })));
  const { code, out } = await machine.apply();
  t.equal(code, 1);
  t.match(out.split('\n')[0], /REFUSED, no such scheduler$/);
  const { changes } = JSON.parse((await machine.apply('--json')).out) as { changes: { refused: string }[] };
  t.equal(changes[0]?.refused, 'no such scheduler');
});

t.test('apply --confirm: confirmed in time it stays', async (t) => {
  const machine = await new Machine(t, QUIET).fill();
  const applied = machine.apply('--confirm', '5m');
  await machine.waits();
  t.same(await machine.lines(), AFTER_LINES);
  t.match(await machine.apply(), {
    code: 2,
    err: /an earlier apply is not confirmed, and process \d+ waits/,
  });
  t.match(await machine.run('confirm'), { code: 0, out: 'confirmed' });
  await machine.time.advance(1000);
  t.match(await applied, { code: 0, err: /confirmed$/ });
  t.same(await machine.lines(), AFTER_LINES);
  t.match(await machine.run('confirm'), { code: 1, err: /nothing to confirm/ });
});

t.test('apply --confirm: nobody confirms, or Ctrl-C: the table is as before', async (t) => {
  for (const how of ['late', 'interrupted'] as const) {
    const machine = await new Machine(t, QUIET).fill();
    const applied = machine.apply('--confirm', '5m');
    await machine.waits();
    await machine.time.advance(299_000);
    t.same(await machine.lines(), AFTER_LINES);
    if (how === 'interrupted') machine.interrupt();
    await machine.time.advance(how === 'late' ? 2000 : 500);
    t.match(await applied, { code: 1, err: /not confirmed: taken back$/ }, how);
    t.same(await machine.lines(), BEFORE_LINES);
    t.match(await machine.run('confirm'), { code: 1 }, 'too late');
    t.match(await machine.apply(), { code: 0 }, 'the next one is free to go');
  }
});

t.test('apply --confirm: taken back by hand, the one that waits ends', async (t) => {
  const machine = await new Machine(t, QUIET).fill();
  const applied = machine.apply('--confirm', '5m');
  await machine.waits();
  t.match(await machine.run('confirm', '--rollback'), { code: 0, out: 'taken back' });
  t.same(await machine.lines(), BEFORE_LINES);
  await machine.time.advance(1000);
  t.match(await applied, { code: 1, err: /taken back$/ });
  t.same(await machine.lines(), BEFORE_LINES, 'once');
});

t.test('apply --confirm: a crash in between leaves the way back', async (t) => {
  const machine = await new Machine(t, QUIET).fill();
  const applied = machine.apply('--confirm', '5m');
  await machine.waits();
  const crashed = new Machine(t, QUIET);
  await crashed.fill([...BEFORE]);
  await crashed.apply();
  const { readFileSync } = await import('node:fs');
  const trial = JSON.parse(readFileSync(machine.trialFile, 'utf8')) as object;
  // No process has this number (pid_max is 2^22 at most).
  writeFileSync(crashed.trialFile, JSON.stringify({ ...trial, pid: 2 ** 22 + 1 }));
  t.match(await crashed.apply(), { code: 2, err: /nobody waits for it any more/ });
  t.match(await crashed.run('confirm', '--rollback'), { code: 0, out: 'taken back' });
  t.same(await crashed.lines(), BEFORE_LINES);
  t.match(await crashed.run('confirm', '--rollback'), { code: 1, err: /nothing to confirm/ });
  await machine.run('confirm');
  await machine.time.advance(1000);
  await applied;
});

t.test('apply --confirm: without a change there is nothing to confirm', async (t) => {
  const machine = new Machine(t, QUIET);
  await machine.apply();
  t.match(await machine.apply('--confirm', '5m'), { code: 0, out: /^# no changes/ });
  t.notOk(existsSync(machine.trialFile));
});

t.test('apply: what it cannot do it does not begin', async (t) => {
  const machine = await new Machine(t, QUIET).fill();
  for (const time of ['5', '0s', '2d', 'soon'])
    t.match(
      await machine.apply('--confirm', time),
      { code: 2, err: /is not a duration from 1s to 24h/ },
      time,
    );
  writeFileSync(machine.trialFile, 'something else');
  t.match(await machine.apply(), { code: 2, err: /does not say how to take an apply back/ });
  rmSync(machine.trialFile);
  t.match(await new Machine(t, QUIET.replace('kernel', 'memory')).apply(), {
    code: 2,
    err: /nowhere but in a daemon/,
  });
  t.match(await new Machine(t, 'services: 5').apply(), { code: 3 });
  const nowhere = await new Machine(t, QUIET).fill();
  const deaf = { trialFile: '/proc/nowhere', openKernelTable: lend(nowhere.table) };
  t.match(await cli(['apply', '-c', nowhere.path, '--confirm', '5m'], deaf), {
    code: 2,
    err: /was not made/,
  });
  t.same(await nowhere.lines(), BEFORE_LINES);
  t.same(await machine.lines(), BEFORE_LINES);
});

t.test('apply: beside a daemon of this configuration it refuses', async (t) => {
  const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const machine = await new Machine(t, QUIET.replace('127.0.0.1:1 ', `127.0.0.1:${port} `)).fill();
  t.match(await machine.apply(), { code: 2, err: /a daemon runs with this configuration/ });
  t.same(await machine.lines(), BEFORE_LINES);
});
