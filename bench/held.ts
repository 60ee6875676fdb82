/** How long main's event loop was held: what guest/loop-delay.ts, loaded before the program, writes when it is asked. */
import { existsSync, readFileSync, rmSync } from 'node:fs';

const LIMIT_MS = 240_000;
const LOOK_EVERY_MS = 10;

/** In milliseconds, since it was asked last. */
export interface Held {
  readonly p99: number;
  readonly max: number;
}

/** @param file which the program writes (`LOOP_DELAY_FILE`). @throws where it does not (rejects) */
export async function askHeld(pid: number, file: string): Promise<Held> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (let waited = 0; waited < LIMIT_MS; waited += LOOK_EVERY_MS) {
    if (existsSync(file) && readFileSync(file, 'utf8') !== '')
      return JSON.parse(readFileSync(file, 'utf8')) as Held;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error('the event loop does not tell how long it was held');
}
