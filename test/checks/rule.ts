/** The members of a rule that most checks leave at their defaults: one interval, no chance, up at first. */
export const EVEN = { fastInterval: undefined, downInterval: undefined, jitter: 0, assume: 'up' } as const;
