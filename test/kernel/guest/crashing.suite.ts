import type { Assertions } from '../../contract/assertions.js';

export async function suite(t: Assertions): Promise<void> {
  t.ok(true, 'before the crash');
  console.error('last words');
  process.kill(process.pid, 'SIGSEGV');
  await new Promise(() => setInterval(() => undefined, 1000));
}
