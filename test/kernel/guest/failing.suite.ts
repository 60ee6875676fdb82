import type { Assertions } from '../../contract/assertions.js';

export async function suite(t: Assertions): Promise<void> {
  await t.test('a table that is not as expected', async (t) => {
    t.strictSame({ weight: 1 }, { weight: 2 }, 'weights agree');
    t.ok(true, 'goes on after a failure');
  });
  await t.test('a rejection', async () => {
    throw new Error('the kernel said no');
  });
}
