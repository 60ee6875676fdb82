import type { Assertions } from '../../contract/assertions.js';

export async function suite(t: Assertions): Promise<void> {
  t.ok(true, 'before the hang');
  await new Promise(() => setInterval(() => undefined, 1000));
}
