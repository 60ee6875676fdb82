/** All rules of `lvsentry doctor`: facts in, findings out. Each row stands alone; docs/operations.md explains each. */
import type { Facts, Finding } from './model.js';
import { ADDRESS_RULES } from './rules-address.js';
import { KERNEL_RULES } from './rules-kernel.js';
import { MACHINE_RULES } from './rules-machine.js';

/** In the order in which they are told. */
export const RULES = [...KERNEL_RULES, ...ADDRESS_RULES, ...MACHINE_RULES];

/** Of one rule and one severity; a fault of all services is not told thousands of times. */
const FINDINGS_MAX = 20;

/** What every rule finds. */
export function diagnose(facts: Facts): Finding[] {
  return RULES.flatMap(({ id, judge }) => {
    const all = judge(facts).map((judgement): Finding => ({ id, ...judgement }));
    return (['error', 'warning', 'note', 'ok'] as const).flatMap((severity) => {
      const same = all.filter((finding) => finding.severity === severity);
      const left = same.length - FINDINGS_MAX;
      if (left <= 0) return same;
      const more: Finding = {
        id,
        severity,
        seen: `and ${left} more like these`,
        why: undefined,
        fix: undefined,
      };
      return [...same.slice(0, FINDINGS_MAX), more];
    });
  });
}
