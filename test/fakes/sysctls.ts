/** Settings of a kernel in memory: every interface has those that are asked for, and they are 0. */
import type { Sysctls } from '../../src/core/ports.js';

export class FakeSysctls implements Sysctls {
  readonly values = new Map<string, string>();
  /** What writing answers. */
  refusal: string | undefined;

  read(path: string): string | undefined {
    return this.values.get(path) ?? '0';
  }

  write(path: string, value: string): string | undefined {
    if (this.refusal === undefined) this.values.set(path, value);
    return this.refusal;
  }
}
