/** The commands: one row and one file each. A file is loaded when its command is given. */
import { CHECK_TYPES } from '../checks/model.js';
import { type CommandModule, LOG_LEVELS } from './context.js';

export interface OptionRow {
  /** As commander reads it: `-c, --config <file>`. */
  readonly flags: string;
  readonly text: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
  readonly default?: string;
  /** Options, by their long names, that cannot stand beside it. */
  readonly conflicts?: readonly string[];
  /** It may be given several times: `Given.texts`. */
  readonly repeats?: boolean;
}

export interface ArgumentRow {
  readonly name: string;
  readonly text: string;
  readonly choices?: readonly string[];
}

export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  /** In their order; all of them must be given. */
  readonly arguments?: readonly ArgumentRow[];
  readonly options: readonly OptionRow[];
  load(): Promise<CommandModule>;
}

const JSON_OPTION: OptionRow = { flags: '--json', text: 'print JSON' };

const ASSUME_OPTION: OptionRow = {
  flags: '--assume',
  text: 'take servers for what their checks assume, instead of leaving them as they are until there is a verdict',
};

const ALLOW_OPTION: OptionRow = {
  flags: '--allow <kinds>',
  text: 'only these changes, the rest is withheld: add,weight,settings,remove',
};

const DAEMON_OPTIONS: readonly OptionRow[] = [
  { flags: '-c, --config <path>', text: 'tell the daemon of this configuration', conflicts: ['url'] },
  { flags: '--url <url>', text: 'tell the daemon at http://HOST:PORT or unix:/PATH' },
  { flags: '--token-file <file>', text: 'file with the token; else the variable LVSENTRY_TOKEN' },
  JSON_OPTION,
];

const SERVER_ARGUMENT: ArgumentRow = { name: 'server', text: 'name, address, or address:port' };

const SERVER_OPTIONS: readonly OptionRow[] = [
  { flags: '--service <name>', text: 'in this service alone; else in all that have the server' },
  { flags: '--reason <text>', text: 'why, for status and events' },
  ...DAEMON_OPTIONS,
];

const WAIT_OPTIONS: readonly OptionRow[] = [
  { flags: '--deadline <duration>', text: 'give up after so long, whatever is left' },
  {
    flags: '--wait',
    text: 'print what is left until the drain is over; exit 1 where something is left then',
  },
];

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'run',
    summary: 'run the daemon, in the foreground',
    options: [
      { flags: '-c, --config <path>', text: 'configuration: a file, or a folder of files', required: true },
      {
        flags: '--log-level <level>',
        text: 'least level that is logged',
        choices: LOG_LEVELS,
        default: 'info',
      },
    ],
    load: () => import('./run.js'),
  },
  {
    name: 'validate',
    summary: 'check a configuration; prints every fault with its line and column',
    arguments: [{ name: 'path', text: 'configuration: a file, or a folder of files' }],
    options: [JSON_OPTION],
    load: () => import('./validate.js'),
  },
  {
    name: 'plan',
    summary: 'print what `run` would change in the IPVS table at its start, and why; changes nothing',
    options: [
      { flags: '-c, --config <path>', text: 'configuration: a file, or a folder of files', required: true },
      ASSUME_OPTION,
      ALLOW_OPTION,
      JSON_OPTION,
    ],
    load: () => import('./plan.js'),
  },
  {
    name: 'apply',
    summary: 'make the IPVS table what the configuration wants, once, without a daemon',
    options: [
      { flags: '-c, --config <path>', text: 'configuration: a file, or a folder of files', required: true },
      ASSUME_OPTION,
      ALLOW_OPTION,
      {
        flags: '--confirm <time>',
        text: 'take it all back after this time unless `lvsentry confirm` comes before: 5m',
      },
      JSON_OPTION,
    ],
    load: () => import('./apply.js'),
  },
  {
    name: 'confirm',
    summary: 'keep what `apply --confirm` did',
    options: [{ flags: '--rollback', text: 'take it back instead, at once' }],
    load: () => import('./confirm.js'),
  },
  {
    name: 'table',
    summary: "print the kernel's IPVS table",
    options: [
      { flags: '-c, --config <path>', text: 'say what of it is not in this configuration' },
      {
        flags: '--stats',
        text: 'connections, packets and bytes since the last zero',
        conflicts: ['rate', 'save'],
      },
      { flags: '--rate', text: 'the same per second', conflicts: ['stats', 'save'] },
      {
        flags: '--connections',
        text: 'every connection, and the templates of persistence; as JSON an object a line',
        conflicts: ['stats', 'rate', 'save', 'config'],
      },
      { flags: '--save', text: 'what `ipvsadm -Sn` prints, for `ipvsadm -R`', conflicts: ['json'] },
      { flags: '--json', text: 'print JSON: everything, counters too' },
    ],
    load: () => import('./table.js'),
  },
  {
    name: 'status',
    summary: 'print services, servers, verdicts and weights, as the daemon sees them',
    options: [
      { flags: '-c, --config <path>', text: 'ask the daemon of this configuration', conflicts: ['url'] },
      { flags: '--url <url>', text: 'ask the daemon at http://HOST:PORT or unix:/PATH' },
      { flags: '--watch', text: 'print again every two seconds' },
      JSON_OPTION,
    ],
    load: () => import('./status.js'),
  },
  {
    name: 'why',
    summary: 'print why a server stands as it does: its last probes, verdict, weight and events',
    arguments: [SERVER_ARGUMENT],
    options: [
      { flags: '--service <name>', text: 'in this service alone; else in all that have the server' },
      { flags: '-c, --config <path>', text: 'ask the daemon of this configuration', conflicts: ['url'] },
      { flags: '--url <url>', text: 'ask the daemon at http://HOST:PORT or unix:/PATH' },
      JSON_OPTION,
    ],
    load: () => import('./why.js'),
  },
  {
    name: 'vrrp',
    summary: 'print the virtual routers: role, master, priority and why, counters',
    options: [
      { flags: '-c, --config <path>', text: 'ask the daemon of this configuration', conflicts: ['url'] },
      { flags: '--url <url>', text: 'ask the daemon at http://HOST:PORT or unix:/PATH' },
      JSON_OPTION,
    ],
    load: () => import('./vrrp.js'),
  },
  {
    name: 'events',
    summary: 'print what happened: the newest events, or all since a time',
    options: [
      { flags: '-c, --config <path>', text: 'ask the daemon of this configuration', conflicts: ['url'] },
      { flags: '--url <url>', text: 'ask the daemon at http://HOST:PORT or unix:/PATH' },
      {
        flags: '--since <time>',
        text: 'how long ago (10m), a time with its zone, or the number of an event',
      },
      { flags: '--kind <kinds>', text: 'events of these kinds alone, with commas between them' },
      { flags: '--service <name>', text: 'events of this service alone' },
      { flags: '--follow', text: 'go on with what happens, until the command is ended' },
      { flags: '--json', text: 'print JSON, a line for each event' },
    ],
    load: () => import('./events.js'),
  },
  {
    name: 'realserver',
    summary: 'what a real server needs for direct routing and tunnels: put it up, take it down, or check it',
    arguments: [
      {
        name: 'action',
        text: 'up, down (undoes up), or check (changes nothing)',
        choices: ['up', 'down', 'check'],
      },
    ],
    options: [
      { flags: '--vip <ip>', text: 'virtual IP; may be repeated', required: true, repeats: true },
      { flags: '--tunnel', text: 'the director sends through tunnels: tunl0, or ip6tnl0 for IPv6' },
      {
        flags: '--interface <name>',
        text: 'device that gets the virtual IP instead of lo, tunl0 or ip6tnl0',
      },
      JSON_OPTION,
    ],
    load: () => import('./realserver.js'),
  },
  {
    name: 'drain',
    summary: 'give a server no new clients and let its connections end; health does not undo it',
    arguments: [SERVER_ARGUMENT],
    options: [...WAIT_OPTIONS, ...SERVER_OPTIONS],
    load: async () => (await import('./admin.js')).adminCommand('drain'),
  },
  {
    name: 'undrain',
    summary: 'take back a drain, whether it is over or not',
    arguments: [SERVER_ARGUMENT],
    options: SERVER_OPTIONS,
    load: async () => (await import('./admin.js')).adminCommand('undrain'),
  },
  {
    name: 'disable',
    summary: 'take a server out of the table at once, or after a drain',
    arguments: [SERVER_ARGUMENT],
    options: [{ flags: '--drain', text: 'drain it first' }, ...WAIT_OPTIONS, ...SERVER_OPTIONS],
    load: async () => (await import('./admin.js')).adminCommand('disable'),
  },
  {
    name: 'enable',
    summary: 'let a server serve again that was disabled or drained',
    arguments: [SERVER_ARGUMENT],
    options: SERVER_OPTIONS,
    load: async () => (await import('./admin.js')).adminCommand('enable'),
  },
  {
    name: 'weight',
    summary: 'give a server a weight in place of the configured one, or `reset` for that one again',
    arguments: [SERVER_ARGUMENT, { name: 'weight', text: 'a number from 0, or reset' }],
    options: SERVER_OPTIONS,
    load: async () => (await import('./admin.js')).adminCommand('weight'),
  },
  {
    name: 'reload',
    summary:
      'let the daemon read its configuration again, as SIGHUP does; prints what it did to the table, or the faults',
    options: DAEMON_OPTIONS,
    load: () => import('./reload.js'),
  },
  {
    name: 'doctor',
    summary:
      'look for what is wrong with this machine as a director; each finding with the line that fixes it',
    options: [
      { flags: '-c, --config <path>', text: 'what the director is to do; else what its table says' },
      { flags: '--json', text: 'print JSON' },
    ],
    load: () => import('./doctor.js'),
  },
  {
    name: 'probe',
    summary:
      'probe something once and print how long each phase took: the fastest way to find a fault of a check',
    arguments: [
      { name: 'type', text: 'what to probe with: the `type` of a check', choices: CHECK_TYPES },
      { name: 'target', text: 'address, with its port unless the check has one' },
    ],
    options: [
      {
        flags: '-s, --set <key=value>',
        text: 'a key of the check, with its value as in the configuration; may be repeated',
        repeats: true,
      },
      { flags: '--timeout <duration>', text: 'one deadline for the whole probe', default: '5s' },
      { flags: '--count <number>', text: 'so many probes, one after the other', default: '1' },
      JSON_OPTION,
    ],
    load: () => import('./probe.js'),
  },
];
