/** Where each command of the documents is run, and what comes of it. */

export interface Row {
  /** As the document has it, on one line. */
  readonly line: string;
  readonly exit: number;
  /** In what it prints, stdout and stderr together. */
  readonly says: RegExp;
}

const row = (line: string, says: RegExp, exit = 0): Row => ({ line, says, exit });

const DRAIN_BY_HTTP = `'content-type: application/json' -d '{ "deadline": "10m", "reason": "new kernel" }'`;

/** Beside a daemon on the memory table. In this order: each finds what the one before left. */
export const DAEMON_ROWS: readonly Row[] = [
  row(
    'lvsentry drain web1 --deadline 30m --reason "new kernel" --wait',
    /web1 is drained by operator: 0 conn/,
  ),
  row('lvsentry undrain web1', /^web\/web1 (?!is drain)/),
  row('lvsentry disable web1 --drain --deadline 30m', /^web\/web1 is draining by operator/),
  row('lvsentry disable web1', /^web\/web1 is disabled by operator/),
  row('lvsentry enable web1', /^web\/web1 (?!is disabled)/),
  row('lvsentry weight web1 5', /^web\/web1 /),
  row('lvsentry weight web1 reset', /^web\/web1 /),
  row('lvsentry disable app@192.168.2.5', /^web\/app@192\.168\.2\.5 is disabled by operator/),
  row('lvsentry why web1', /^web\/web1 at 192\.168\.2\.2:80[\s\S]*check tcp[\s\S]*undone by operator/),
  row('lvsentry status', /^director-a: lvsentry .*in sync[\s\S]*web1/),
  row('lvsentry status --json', /"name":"web1"/),
  row('lvsentry events', /drain-undone/),
  row('lvsentry plan -c FILE', /^ipvsadm -A -t 192\.168\.2\.254:80 -s wlc {2}# web/m),
  row('curl -s http://127.0.0.1:8405/v1/status', /"name":"director-a"/),
  row('curl -s --unix-socket /run/lvsentry.sock http://lvsentry/readyz', /"ready":/),
  row(
    `curl -s --unix-socket /run/lvsentry.sock http://lvsentry/v1/servers/192.168.2.2/drain -H ${DRAIN_BY_HTTP}`,
    /"drain(ing|ed)"/,
  ),
];

/** In a network namespace of their own. */
export const NETWORK_ROWS: readonly Row[] = [
  row('lvsentry realserver up --vip 192.0.2.254', /^done +192\.0\.2\.254 added to lo$/m),
  row('lvsentry realserver up --vip 192.0.2.254 --vip 192.0.2.253', /^done +192\.0\.2\.253 added to lo$/m),
  row('lvsentry realserver check --vip 192.0.2.254', /^ok +192\.0\.2\.254\/32 is on lo$/m),
  row('lvsentry realserver down --vip 192.0.2.254', /^done +192\.0\.2\.254 removed from lo$/m),
];

/** Beside a real table, in the kernel lab: the suite `operations`. */
export const KERNEL_LINES: readonly string[] = [
  'lvsentry plan -c FILE --allow add,weight',
  'lvsentry apply -c FILE --allow add,weight',
  'lvsentry apply -c FILE --confirm 5m',
  'lvsentry confirm',
  'lvsentry confirm --rollback',
  'lvsentry apply -c OLD --assume',
  'lvsentry table',
  'lvsentry table -c FILE',
  'lvsentry table --rate',
  'lvsentry table --save',
  'lvsentry table --connections',
  'lvsentry realserver up --vip 192.0.2.254 --vip 2001:db8::254 --tunnel',
  'lvsentry doctor -c /etc/lvsentry/lvsentry.yaml',
  'lvsentry doctor --json',
];
