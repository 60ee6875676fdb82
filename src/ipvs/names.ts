/** Names that the kernel's table uses. */

/** The schedulers of Linux (net/netfilter/ipvs/Kconfig, 6.1). A kernel may lack some: each is a module of its own. */
export const SCHEDULERS = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'fo',
  'ovf',
  'lblc',
  'lblcr',
  'dh',
  'sh',
  'mh',
  'sed',
  'nq',
  'twos',
] as const;

/** The persistence engines of Linux (ip_vs_pe_*). */
export const PERSISTENCE_ENGINES = ['sip'] as const;
