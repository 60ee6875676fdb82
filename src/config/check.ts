/** From the layers of a check (server over service over defaults) to one complete check. */
import type { CheckRule, CheckType, ProbeSpec } from '../checks/model.js';
import type { Target } from '../checks/spec-target.js';
import { assert } from '../core/assert.js';
import { formatDuration, type Millis, parseDuration, seconds } from '../core/units.js';
import { agentProbe } from './check-agent.js';
import { sendExpectProbe, udpProbe } from './check-bytes.js';
import { redisProbe, sqlProbe } from './check-database.js';
import { ldapProbe } from './check-directory.js';
import { execProbe, usesPort } from './check-exec.js';
import { fileProbe } from './check-file.js';
import { ftpProbe } from './check-ftp.js';
import { grpcProbe } from './check-grpc.js';
import { httpProbe } from './check-http.js';
import { latencyRule } from './check-latency.js';
import { mailboxProbe } from './check-login.js';
import { mqttProbe } from './check-mqtt.js';
import type { ProbedNames } from './check-names.js';
import { type OriginChoice, originOf } from './check-origin.js';
import { needPackage } from './check-package.js';
import { radiusProbe } from './check-radius.js';
import { dnsProbe, ntpProbe, sipProbe, tlsProbe } from './check-service.js';
import type { CheckSet } from './check-set.js';
import { smtpProbe } from './check-smtp.js';
import { throughOf } from './check-through.js';
import { webSocketProbe } from './check-websocket.js';
import { type Checked, type Context, type Cursor, FAULTY, member, report, reportKey } from './cursor.js';
import { type Layer, type Layers, pick, pickValue } from './layers.js';
import type { RawDefaults } from './schema.js';
import { CHECK_KEYS, wrongTypeText } from './schema-facts.js';

/** A check without its target: the same for all servers that say nothing of their own. */
export interface CheckTemplate {
  readonly type: CheckType;
  readonly rule: CheckRule;
  /** Instead of the server's port; 0: what is probed has no port. */
  readonly port: number | undefined;
  /** Where its probes come from; undefined: where the kernel has them come from. */
  readonly origin: OriginChoice | undefined;
  /** The place that says that probes go through the service; undefined: they go to the server. */
  readonly through: Cursor<unknown> | undefined;
  /** The place that says how its weight follows the time of probes. */
  readonly latencyAt: Cursor<unknown> | undefined;
  readonly probe: (target: Target, names: ProbedNames) => ProbeSpec;
}

/** `defaults`: what the checks of services begin with, and what holds where a service says nothing. */
export interface Defaults {
  /** All of it; undefined where nothing is said. */
  readonly at: Cursor<RawDefaults> | undefined;
  readonly layers: Layers;
  readonly set: Checked<CheckSet>;
}

const DEFAULT_INTERVAL = seconds(2);
const DEFAULT_TIMEOUT = seconds(1);

type DurationKey = 'interval' | 'timeout' | 'fast-interval' | 'down-interval';

function pickDuration<Otherwise extends Millis | undefined>(
  layers: Layers,
  key: DurationKey,
  otherwise: Otherwise,
): Checked<Millis | Otherwise> {
  const found = pick(layers, key);
  if (found === undefined) return otherwise;
  if (found === FAULTY) return FAULTY;
  const value = parseDuration(found.value);
  assert(value !== undefined, 'the schema lets only durations through');
  return value;
}

/** The time-out, held against the interval; the fault stands at the innermost of the two. */
function pickTimeout(context: Context, layers: Layers, interval: Checked<Millis>): Checked<Millis> {
  const given = pick(layers, 'timeout');
  if (given === FAULTY || interval === FAULTY) return FAULTY;
  if (given === undefined) return interval < DEFAULT_TIMEOUT ? interval : DEFAULT_TIMEOUT;
  const timeout = pickDuration(layers, 'timeout', DEFAULT_TIMEOUT);
  if (timeout === FAULTY || timeout <= interval) return timeout;
  for (const layer of layers) {
    const here = member(layer, 'timeout') ?? member(layer, 'interval');
    if (here === undefined || here === FAULTY) continue;
    const texts = `the timeout (${formatDuration(timeout)}) is longer than the interval (${formatDuration(interval)})`;
    return report(context, here, `${texts}; a probe must end before the next one starts`);
  }
  return FAULTY;
}

/** The time between probes while a verdict is about to change: no longer than at other times. */
function pickFastInterval(
  context: Context,
  layers: Layers,
  interval: Checked<Millis>,
): Checked<Millis | undefined> {
  const fast = pickDuration(layers, 'fast-interval', undefined);
  if (fast === undefined || fast === FAULTY || interval === FAULTY || fast <= interval) return fast;
  const at = pick(layers, 'fast-interval');
  if (at === undefined || at === FAULTY) return FAULTY;
  return report(
    context,
    at,
    `${formatDuration(fast)} is longer than the interval (${formatDuration(interval)}) that it is to shorten`,
  );
}

/** An agent has decided before it speaks, and so has who writes a file. */
const DECIDED = { rise: 1, fall: 1 };
const MEASURED = { rise: 2, fall: 3 };

function checkRule(context: Context, layers: Layers, type: CheckType): Checked<CheckRule> {
  const enough = type === 'agent' || type === 'file' ? DECIDED : MEASURED;
  const interval = pickDuration(layers, 'interval', DEFAULT_INTERVAL);
  const fastInterval = pickFastInterval(context, layers, interval);
  const downInterval = pickDuration(layers, 'down-interval', undefined);
  const jitter = pickValue(layers, 'jitter', '0%');
  const timeout = pickTimeout(context, layers, interval);
  const rise = pickValue(layers, 'rise', enough.rise);
  const fall = pickValue(layers, 'fall', enough.fall);
  const assume = pickValue(layers, 'assume', 'up');
  const latency = latencyRule(context, layers);
  if (interval === FAULTY || timeout === FAULTY || rise === FAULTY || fall === FAULTY) return FAULTY;
  if (
    fastInterval === FAULTY ||
    downInterval === FAULTY ||
    jitter === FAULTY ||
    assume === FAULTY ||
    latency === FAULTY
  )
    return FAULTY;
  const share = Number.parseInt(jitter, 10) / 100;
  const rule = { interval, fastInterval, downInterval, jitter: share, timeout, rise, fall, assume };
  return latency === undefined ? rule : { ...rule, latency };
}

/** http and https share their keys, so one inherits from the other. */
const family = (type: CheckType): CheckType => (type === 'https' ? 'http' : type);

/** The type of each layer: its own, else that of the next outer one; undefined where none says it. */
function layerTypes(layers: Layers): Checked<readonly (CheckType | undefined)[]> {
  const types: (CheckType | undefined)[] = [];
  let type: CheckType | undefined;
  for (const layer of [...layers].reverse()) {
    const own = member(layer, 'type');
    if (own === FAULTY) return FAULTY;
    type = own?.value ?? type;
    types.unshift(type);
  }
  return types;
}

/** Without `type` of its own a layer passes the schema with any key: here they are held against the type. */
function keysFit(context: Context, layer: Layer | undefined, type: CheckType): boolean {
  if (layer === undefined || layer.node.fields?.has('type') === true) return true;
  const allowed = CHECK_KEYS.get(type) ?? [];
  let fit = true;
  for (const [key, field] of layer.node.fields ?? []) {
    const problem = allowed.includes(key) ? '' : wrongTypeText(key, type);
    if (problem === '') continue;
    const path = `${layer.path}.${key}`;
    reportKey(context, { ...layer, path, keyStart: field.keyStart }, problem);
    fit = false;
  }
  return fit;
}

type Complete = (context: Context, layers: Layers) => Checked<CheckTemplate['probe']>;

/** For each type what its keys come to. */
const PROBES: Readonly<Record<CheckType, Complete>> = {
  tcp: () => (target) => ({ type: 'tcp', target }),
  ping: () => (target) => ({ type: 'ping', target }),
  http: (context, layers) => httpProbe(context, 'http', layers),
  https: (context, layers) => httpProbe(context, 'https', layers),
  grpc: grpcProbe,
  websocket: webSocketProbe,
  ftp: ftpProbe,
  'send-expect': sendExpectProbe,
  udp: udpProbe,
  smtp: smtpProbe,
  pop3: (context, layers) => mailboxProbe(context, 'pop3', layers),
  imap: (context, layers) => mailboxProbe(context, 'imap', layers),
  nntp: (context, layers) => mailboxProbe(context, 'nntp', layers),
  memcached: () => (target) => ({ type: 'memcached', target }),
  tls: tlsProbe,
  dns: dnsProbe,
  ntp: ntpProbe,
  sip: sipProbe,
  redis: redisProbe,
  mysql: (context, layers) => sqlProbe(context, 'mysql', layers),
  postgres: (context, layers) => sqlProbe(context, 'postgres', layers),
  ldap: ldapProbe,
  agent: agentProbe,
  exec: execProbe,
  file: fileProbe,
  radius: radiusProbe,
  mqtt: mqttProbe,
};

/**
 * Completes a check. When to probe is inherited key by key; what to probe with (`port` and the keys of the type)
 * only from layers of the same type.
 */
export function checkTemplate(context: Context, layers: Layers): Checked<CheckTemplate> {
  const types = layerTypes(layers);
  const type = types === FAULTY ? 'tcp' : (types[0] ?? 'tcp');
  const rule = checkRule(context, layers, type);
  if (types === FAULTY) return FAULTY;
  if (!keysFit(context, layers[0], type)) return FAULTY;
  const same = layers.filter((_, index) => family(types[index] ?? type) === family(type));
  const port = pick(same, 'port');
  const probe = needPackage(context, type, layers) ?? PROBES[type](context, same);
  const origin = originOf(context, layers);
  const through = throughOf(context, layers, type);
  const latencyAt = pick(layers, 'latency-weight');
  if (rule === FAULTY || port === FAULTY || probe === FAULTY || origin === FAULTY || through === FAULTY)
    return FAULTY;
  if (latencyAt === FAULTY) return FAULTY;
  const hasPort = CHECK_KEYS.get(type)?.includes('port') === true && (type !== 'exec' || usesPort(same));
  const own = { type, rule, port: hasPort ? port?.value : 0, latencyAt, probe };
  // The sockets of a program are its own, and a file needs none: what outer levels say does not reach them.
  if (type === 'exec' || type === 'file') return { ...own, origin: undefined, through: undefined };
  return { ...own, origin, through };
}
