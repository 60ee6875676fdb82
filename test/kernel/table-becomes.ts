import type { Assertions } from '../contract/assertions.js';
import { eventually } from './client.js';
import { directorTable } from './topology.js';

const sorted = (lines: readonly string[]): string => [...lines].sort().join('\n');

/** Asserts that the director's table becomes exactly these lines of `ipvsadm -Sn`, in any order, within a time. */
export async function tableBecomes(
  t: Assertions,
  lines: readonly string[],
  name: string,
  withinMs = 5000,
): Promise<void> {
  const wanted = sorted(lines);
  let found = '';
  await eventually(() => {
    found = sorted(directorTable());
    return found === wanted;
  }, withinMs);
  t.equal(found, wanted, name);
}
