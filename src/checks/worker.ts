/** The thread of a probe worker: a runner on the real clock, joined to main by messages. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert, unreachable } from '../core/assert.js';
import { millis } from '../core/units.js';
import { GROUPS_MAX, ProcessGroups } from '../exec/groups.js';
import { ProgramRunner } from '../exec/runner.js';
import { systemClock, systemEntropy, systemTimers } from '../sys/clock.js';
import { keepYoungSmall } from '../sys/collector.js';
import { openConnector } from '../sys/connector.js';
import { openOrigin } from '../sys/origin.js';
import { openPacketSocket } from '../sys/packet.js';
import { openPipe } from '../sys/pipe.js';
import { allProbers, lanePlanOf, probeByType } from './kinds.js';
import { Lane } from './lane.js';
import { readLibraries } from './libraries.js';
import type { Check, CheckId, RemarkChange, Suspicion, VerdictChange } from './model.js';
import { useOrigins } from './origin.js';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.js';
import { Runner } from './runner.js';

keepYoungSmall();

/** Descriptors that one worker may hold at once; Node raises the soft limit of the process to the hard one. */
const IN_FLIGHT_MAX = 4096;

/** Where a probe stands on its grid matters little; a verdict is to come soon after its deadline. */
const TICKS = { start: millis(10), deadline: millis(4) };

/** For programs, from TERM to KILL, when the thread is to end: main does not wait for it longer than a second. */
const STOP_GRACE = millis(500);

const port = parentPort;
assert(port !== null, 'a probe worker is a thread');

useOrigins(openOrigin);
const setup = workerData as WorkerSetup;
const programs = new ProgramRunner({
  timers: systemTimers,
  openPipe,
  concurrencyMax: GROUPS_MAX,
  groups: new ProcessGroups(setup.groups),
});
const probers = allProbers({
  clock: systemClock,
  openSocket: openPacketSocket,
  run: (program, onStart) => programs.run(program, onStart),
});
const tell = (message: FromWorker): void => port.postMessage(message);
const checks = new Map<CheckId, Check>();
let changes: VerdictChange[] = [];
let suspicions: Suspicion[] = [];
let remarks: RemarkChange[] = [];

function flush(): void {
  tell({ kind: 'changes', changes });
  changes = [];
}

function flushSuspicions(): void {
  tell({ kind: 'suspicions', suspicions });
  suspicions = [];
}

function flushRemarks(): void {
  tell({ kind: 'remarks', remarks });
  remarks = [];
}

const runner = new Runner({
  worker: setup.worker,
  clock: systemClock,
  timers: systemTimers,
  entropy: systemEntropy,
  inFlightMax: IN_FLIGHT_MAX,
  ticks: TICKS,
  probe: (spec, signal) => probeByType(probers, spec, signal),
  openLane: (listeners) =>
    Lane.open({ openConnector, slots: IN_FLIGHT_MAX, planOf: lanePlanOf, ...listeners }),
  // setImmediate comes at the end of this turn of the loop, after all sockets that were ready: one message for all.
  onChange(change) {
    if (changes.push(change) === 1) setImmediate(flush);
  },
  onSuspicion(suspicion) {
    if (suspicions.push(suspicion) === 1) setImmediate(flushSuspicions);
  },
  onRemark(remark) {
    if (remarks.push(remark) === 1) setImmediate(flushRemarks);
  },
  onDigest: (digest) => tell({ kind: 'digest', digest }),
  onDefect: (id, text) => tell({ kind: 'defect', id, text }),
});

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'update':
      for (const id of message.drop) checks.delete(id);
      for (const check of message.put) checks.set(check.id, check);
      void readLibraries(message.put.map(({ probe }) => probe.type));
      return runner.update([...checks.values()], message.verdicts);
    case 'pace':
      return runner.pace(message.pace);
    case 'look': {
      const { question, ids } = message;
      return tell({ kind: 'sights', question, sights: ids.flatMap((id) => runner.look(id) ?? []) });
    }
    case 'stop':
      // What is not gone when main waits no longer is killed by main.
      void programs.close(STOP_GRACE).then(() => port.close());
      return runner.close();
    default:
      return unreachable(message);
  }
});
