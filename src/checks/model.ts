/** Checks: what is probed, what came of it, and what it means. */
import type { EpochMillis, Micros, Millis } from '../core/units.js';
import type { AgentCheck } from './spec-agent.js';
import type { MysqlCheck, PostgresCheck, RedisCheck } from './spec-database.js';
import type { DnsCheck, NtpCheck, SipCheck, UdpCheck } from './spec-datagram.js';
import type { LdapCheck } from './spec-directory.js';
import type { MqttCheck } from './spec-mqtt.js';
import type { PingCheck } from './spec-ping.js';
import type { ExecCheck, FileCheck } from './spec-program.js';
import type { RadiusCheck } from './spec-radius.js';
import type { Target } from './spec-target.js';
import type { MailboxCheck, MemcachedCheck, SendExpectCheck, SmtpCheck, TlsCheck } from './spec-text.js';
import type { Through } from './spec-through.js';
import type { TlsUse } from './spec-tls.js';
import type { GrpcCheck, HttpCheck, WebSocketCheck } from './spec-web.js';

/** up or down after rise/fall; unknown before the first verdict, or while its worker is being restarted. */
export type Verdict = 'up' | 'down' | 'unknown';

/** When to probe and how many equal results make a verdict. */
export interface CheckRule {
  /** From the start of one probe to the start of the next. */
  readonly interval: Millis;
  /** In place of `interval` while results speak against the verdict, until they are enough to change it. */
  readonly fastInterval: Millis | undefined;
  /** In place of `interval` while the verdict is down. */
  readonly downInterval: Millis | undefined;
  /** The share of its interval by which a probe starts later, at most; chance says how much. 0 to 0.5. */
  readonly jitter: number;
  /** One total deadline for a probe. Not above `interval`. */
  readonly timeout: Millis;
  /** Passes in a row that make a server up; 1 or more. */
  readonly rise: number;
  /** Failures in a row that make a server down; 1 or more. */
  readonly fall: number;
  /**
   * The start: with `up` the first pass is the verdict up, and down takes `fall` failures;
   * with `down` the first failure is the verdict down, and up takes `rise` passes. `kernel`: as the table has the
   * server at that time.
   */
  readonly assume: 'up' | 'down' | 'kernel';
  /** What the time that probes take makes of the weight; undefined: nothing. */
  readonly latency?: LatencyRule;
}

/** The share of its weight that a server gets by the average time of its probes: `target` / average, within bounds. */
export interface LatencyRule {
  /** Microseconds at which the share is 100. */
  readonly target: number;
  /** After this long what was measured counts half as much. */
  readonly halfLife: Millis;
  /** In percent of the weight, all below: 1 to 1000. */
  readonly floor: number;
  readonly ceiling: number;
  /** At a time, which is once a second at most. */
  readonly maximumStep: number;
  /** A change of less than this is none. */
  readonly deadBand: number;
}

/** How many probes there may be, per second. */
export interface ProbeBudget {
  readonly total: number | undefined;
  /** To one address. */
  readonly perServer: number | undefined;
}

/**
 * How a budget is kept: probes that there may be over those that checks want by their `interval`. Below 1 intervals are
 * stretched; above 1 there is room for faster ones.
 */
export interface Pace {
  /** Of all, after servers were held to theirs; undefined: it cannot be exceeded. */
  readonly all: number | undefined;
  /** By address; those where it cannot be exceeded are not there. */
  readonly servers: ReadonlyMap<string, number>;
}

/** What a pace does to one check. */
export interface PaceDelay {
  /** How many times as long as configured its intervals are. */
  readonly stretch: number;
  /** In so many queues it may have to let others pass that are probed faster because they fail. */
  readonly queues: number;
}

/** What a budget comes to. */
export interface BudgetPlan {
  /** Undefined: there is no budget, or nothing could ever exceed it. */
  readonly pace: Pace | undefined;
  /** Probes per second, by the intervals of the configuration. */
  readonly wanted: number;
  /** The same by the intervals in force. */
  readonly planned: number;
  /** How many times as long as configured an interval is: the largest of all. 1: none is longer. */
  readonly stretch: number;
  /** An address where it is so large; undefined: none is longer. */
  readonly stretchedMost: string | undefined;
  /** How many addresses want more than one may have. */
  readonly servers: number;
}

export interface TcpCheck {
  readonly type: 'tcp';
  readonly target: Target;
}

export interface FtpCheck {
  readonly type: 'ftp';
  readonly target: Target;
  readonly user: string;
  readonly password: string;
  /** A file that must be there; undefined: a login is enough. */
  readonly file: string | undefined;
  /** How the file is asked for: by SIZE on the control connection, or read by a passive data connection. */
  readonly fileBy: 'size' | 'retrieve';
  readonly tls: TlsUse | undefined;
}

/** Every kind of check, in the order in which they are documented. */
export const CHECK_TYPES = [
  'tcp',
  'ping',
  'send-expect',
  'udp',
  'http',
  'https',
  'grpc',
  'websocket',
  'ftp',
  'smtp',
  'pop3',
  'imap',
  'nntp',
  'memcached',
  'tls',
  'dns',
  'ntp',
  'sip',
  'redis',
  'mysql',
  'postgres',
  'ldap',
  'agent',
  'exec',
  'file',
  'radius',
  'mqtt',
] as const;
export type CheckType = (typeof CHECK_TYPES)[number];

export type ProbeSpec =
  | TcpCheck
  | PingCheck
  | SendExpectCheck
  | UdpCheck
  | HttpCheck
  | GrpcCheck
  | WebSocketCheck
  | FtpCheck
  | SmtpCheck
  | MailboxCheck
  | MemcachedCheck
  | TlsCheck
  | DnsCheck
  | NtpCheck
  | SipCheck
  | RedisCheck
  | MysqlCheck
  | PostgresCheck
  | LdapCheck
  | AgentCheck
  | ExecCheck
  | FileCheck
  | RadiusCheck
  | MqttCheck;

/** `service/server`, or `service/server/check` where the server has several: unique in one configuration. */
export type CheckId = string;

export interface Check {
  readonly id: CheckId;
  readonly rule: CheckRule;
  readonly probe: ProbeSpec;
  /** It goes to a virtual IP, and from there to its server as a client's packets would; undefined: to the server itself. */
  readonly through?: Through;
  /** Every pass is told, not only what changes: for the few checks that somebody waits for. */
  readonly tellsPasses?: true;
}

/** What a probe found before there is a verdict: the first failure after passes, or a pass after failures. */
export interface Suspicion {
  readonly id: CheckId;
  /** Why it failed; undefined: it passed. */
  readonly reason: Reason | undefined;
}

/**
 * The parts of a probe that can be timed apart, in the order in which they happen. `wait` and `run` are those of a
 * program of ours: until it runs, and while it does.
 */
export type Phase =
  | 'connect'
  | 'tls'
  | 'greeting'
  | 'login'
  | 'request'
  | 'response'
  | 'data'
  | 'quit'
  | 'wait'
  | 'run';

/**
 * Why a probe ended. `at`: where it was, if it goes to several places (the urls of a check, redirects). `serverIsWell`: it
 * went through the service, and the checks of the server itself passed.
 */
export type Reason = ReasonKind & { readonly at?: string; readonly serverIsWell?: true };

/** The closed list of reasons. Failures of ours (`local-*`) are never a server's fault: their outcome is unknown. */
export type ReasonKind =
  | { readonly kind: 'ok' }
  | { readonly kind: 'refused'; readonly phase: Phase }
  | { readonly kind: 'reset'; readonly phase: Phase }
  /** The peer closed before it had said what the phase needs. */
  | { readonly kind: 'closed'; readonly phase: Phase }
  | { readonly kind: 'timeout'; readonly phase: Phase }
  /** ENETUNREACH, EHOSTUNREACH and the like, as the network told us. */
  | { readonly kind: 'unreachable'; readonly phase: Phase; readonly errno: string }
  | { readonly kind: 'tls'; readonly problem: TlsProblem; readonly detail: string }
  | { readonly kind: 'bad-status'; readonly status: number }
  /** What was expected is not in what came; `detail` is short and printable. */
  | { readonly kind: 'bad-content'; readonly phase: Phase; readonly detail: string }
  /** Not the protocol's language. */
  | { readonly kind: 'protocol-error'; readonly phase: Phase; readonly detail: string }
  /** The server said more than we are willing to read. */
  | { readonly kind: 'too-long'; readonly phase: Phase; readonly limit: number }
  /** The server refused in its own words: FTP 530; `code` is undefined where its protocol has none (POP3, IMAP). */
  | {
      readonly kind: 'rejected';
      readonly phase: Phase;
      readonly code: number | undefined;
      readonly detail: string;
    }
  /** Our own trouble: EMFILE, EADDRNOTAVAIL, ENOBUFS, EPERM, a defect. `detail`, where there is one, says it all. */
  | { readonly kind: 'local'; readonly phase: Phase; readonly errno: string; readonly detail?: string };

export type TlsProblem =
  | 'expired'
  | 'not-yet-valid'
  | 'self-signed'
  | 'unknown-authority'
  | 'wrong-name'
  | 'handshake';

/** `neutral`: it says nothing of whether the server is up; `unknown`: it could not be made, by trouble of our own. */
export type Outcome = 'pass' | 'fail' | 'neutral' | 'unknown';

/** What one probe found. */
export interface ProbeResult {
  readonly outcome: Outcome;
  readonly reason: Reason;
  /** Microseconds spent in each phase that was entered, in order. */
  readonly phases: readonly (readonly [Phase, Micros])[];
  /** Microseconds from start to end. */
  readonly elapsed: Micros;
  /** Of a pass: what will be a failure if nobody acts, such as a certificate that expires soon. */
  readonly warning?: string;
  /** What a program or an agent said that did not fail, in one line. */
  readonly words?: string;
  /** What the server says of its weight; undefined: as it said before. */
  readonly weight?: SaidWeight;
  /** What the server says of its administrative state; undefined: as it said before. */
  readonly say?: SaidState;
}

/** What a server says of its weight by a check: whole numbers. */
export type SaidWeight =
  /** In place of the configured weight. 0 or more. */
  | { readonly kind: 'absolute'; readonly value: number }
  /** Of the configured weight. 0 or more; 100 is all of it. */
  | { readonly kind: 'percent'; readonly value: number }
  /** Added to the configured weight. */
  | { readonly kind: 'offset'; readonly value: number };

/**
 * HAProxy's administrative words: `drain` gives no new connections, `maint` takes the server out, `ready` takes either
 * back. Its words of operation (up, down, fail, stopped) are the outcome of the probe and not said here.
 * Source: HAProxy's configuration manual, agent-check.
 */
export type SaidState = 'ready' | 'drain' | 'maint';

/** What a check says beside its verdict. */
export interface Remark {
  /** Its server is degraded: it passes, and will fail if nobody acts. */
  readonly warning: string | undefined;
  /** Undefined: nothing was ever said; so too below. */
  readonly weight: SaidWeight | undefined;
  readonly say: SaidState | undefined;
  /** What its probes' time makes of its weight; undefined: nothing yet. */
  readonly latency?: LatencyRemark;
}

/** The share of its weight that a server is due by the time of its probes. */
export interface LatencyRemark {
  /** In percent; 100 is all of it. */
  readonly share: number;
  /** Of the probes' time, when the share changed. */
  readonly average: Micros;
}

/** A remark that differs from the one before, as a worker tells it to main. */
export interface RemarkChange {
  readonly id: CheckId;
  readonly remark: Remark;
}

/** The rise/fall machine of one check. */
export interface CheckerState {
  readonly verdict: Verdict;
  /** The verdict; while it is unknown, what is assumed: `assume`, or the verdict before a restart. */
  readonly held: 'up' | 'down';
  /** Results in a row that speak against `held`. */
  readonly against: number;
}

/** One change of verdict, as a worker tells it to main. */
export interface VerdictChange {
  readonly id: CheckId;
  readonly verdict: 'up' | 'down';
  readonly previous: Verdict;
  /** The result that made it. */
  readonly result: ProbeResult;
  readonly at: EpochMillis;
}
