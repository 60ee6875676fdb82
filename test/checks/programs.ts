/** Programs of checks, run for real. */
import type { RunProgram } from '../../src/checks/exec.js';
import { ProgramRunner } from '../../src/exec/runner.js';
import { systemTimers } from '../../src/sys/clock.js';
import { openPipe } from '../../src/sys/pipe.js';

const runner = new ProgramRunner({ timers: systemTimers, openPipe, concurrencyMax: 128 });

export const runProgram: RunProgram = (program, onStart) => runner.run(program, onStart);
