/** What the API tells of the failure of most servers at once. */
import type { CanaryVoice, MassFailureState } from '../policy/model.js';

export interface CanaryStatus {
  readonly name: string;
  readonly voice: CanaryVoice;
}

export interface MassStatus {
  readonly active: boolean;
  readonly action: MassFailureState['rule']['action'];
  readonly failing: number;
  readonly of: number;
  readonly canaries: readonly CanaryStatus[];
  readonly count: number;
}

/** @returns null where nothing is configured for it */
export function massStatus({ mass }: { readonly mass: MassFailureState | undefined }): MassStatus | null {
  if (mass === undefined) return null;
  const { rule, isActive, failing, of, canaries, count } = mass;
  return { active: isActive, action: rule.action, failing, of, canaries, count };
}
