/** The words of a rule: what it finds. */
import { settingLine, settingName } from '../core/shell.js';
import type { Facts, Finding, Severity } from './model.js';

/** A finding before it bears the name of its rule. */
export type Judgement = Omit<Finding, 'id'>;

export interface Rule {
  readonly id: string;
  /** Nothing where the rule has nothing to say about this machine. */
  readonly judge: (facts: Facts) => readonly Judgement[];
}

export function well(seen: string): Judgement {
  return { severity: 'ok', seen, why: undefined, fix: undefined };
}

export function found(
  severity: Exclude<Severity, 'ok'>,
  seen: string,
  why: string,
  fix: string | undefined,
): Judgement {
  return { severity, seen, why, fix };
}

/** One setting of the kernel that has to have one value. */
export interface SettingRule {
  readonly id: string;
  /** As in `Sysctls`. A kernel without it is passed over. */
  readonly path: string;
  readonly value: string;
  readonly severity: Exclude<Severity, 'ok'>;
  readonly why: string;
  /** Whether it matters here; absent: always. */
  readonly matters?: (facts: Facts) => boolean;
}

export function settingRule({ id, path, value, severity, why, matters }: SettingRule): Rule {
  return {
    id,
    judge(facts) {
      const is = facts.setting(path);
      if (is === undefined || matters?.(facts) === false) return [];
      const seen = `${settingName(path)} is ${is}`;
      return is === value ? [well(seen)] : [found(severity, seen, why, settingLine([path, value]))];
    },
  };
}
