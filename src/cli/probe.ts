/** `lvsentry probe`: one probe by hand, through the same code as the daemon's. */
import { allProbers, probeByType } from '../checks/kinds.js';
import type { Check, ProbeResult, SaidWeight } from '../checks/model.js';
import { useOrigins } from '../checks/origin.js';
import { reasonText } from '../checks/reason.js';
import { parseEndpoint } from '../config/endpoint.js';
import { depsOf } from '../config/load.js';
import { parseConfig } from '../config/parse.js';
import { unreachable } from '../core/assert.js';
import { LvsError } from '../core/errors.js';
import { ipFamily } from '../core/ip.js';
import type { Micros } from '../core/units.js';
import { ProgramRunner } from '../exec/runner.js';
import { type CliContext, EXIT, type Given } from './context.js';

const COUNT_MAX = 1_000_000;
const PLACE = 'services.probe.';

function usage(message: string): LvsError {
  return new LvsError('USAGE', message);
}

/** `path=/health` as a line of YAML. The value may be anything that stands on one line. */
function lineOf(word: string): string {
  const at = word.indexOf('=');
  const [key, value] = [word.slice(0, at), word.slice(at + 1)];
  if (at < 1 || !/^[a-z][a-z0-9-]*$/.test(key) || /[\r\n]/.test(value))
    throw usage(
      `--set ${JSON.stringify(word)}: write key=value, such as path=/health or status='[200, 204]'`,
    );
  return `      ${key}: ${value}`;
}

/** A configuration with nothing but this check, so that it is held against the same rules. */
function configText(type: string, target: string, given: Given): string {
  const sets = given.texts('set').map(lineOf);
  const endpoint = parseEndpoint(target);
  const isIpv6 = endpoint.ok && ipFamily(endpoint.value.address) === 'ipv6';
  return [
    'services:',
    '  probe:',
    '    fwmark: 1',
    `    family: ${isIpv6 ? 'ipv6' : 'ipv4'}`,
    '    forward: masquerade',
    '    check:',
    `      type: ${type}`,
    '      interval: 24h',
    `      timeout: ${given.text('timeout') ?? '5s'}`,
    ...sets,
    `    servers: [${JSON.stringify(target)}]`,
  ].join('\n');
}

/** @throws USAGE with every fault */
function checkOf(given: Given): Check {
  const [type = '', target = ''] = [given.text('type'), given.text('target')];
  // A configuration could follow a name; one probe cannot.
  const place = parseEndpoint(target);
  if (!place.ok) throw usage(place.problem);
  const read = parseConfig([{ file: 'probe', text: configText(type, target, given) }], depsOf());
  if (!read.ok) throw usage(read.faults.map(({ message }) => message.replaceAll(PLACE, '')).join('\n'));
  const check = read.config.services[0]?.servers[0]?.checks[0];
  if (check === undefined) throw usage(`${target} cannot be probed`);
  return check;
}

const millisText = (time: Micros): string => `${(time / 1000).toFixed(3)} ms`;

function weightText({ kind, value }: SaidWeight): string {
  switch (kind) {
    case 'absolute':
      return `${value} in place of the configured one`;
    case 'percent':
      return `${value}% of the configured one`;
    case 'offset':
      return `the configured one ${value < 0 ? '-' : '+'} ${Math.abs(value)}`;
    default:
      return unreachable(kind);
  }
}

function resultLines(result: ProbeResult): readonly string[] {
  const { outcome, reason, phases, elapsed, warning, words, weight, say } = result;
  return [
    ...phases.map(([phase, time]) => `  ${phase.padEnd(10)} ${millisText(time).padStart(12)}`),
    `${outcome}: ${reasonText(reason, elapsed)}, ${millisText(elapsed)} in all`,
    ...(warning === undefined ? [] : [`warning: ${warning}`]),
    ...(words === undefined ? [] : [`words: ${words}`]),
    ...(weight === undefined ? [] : [`weight: ${weightText(weight)}`]),
    ...(say === undefined ? [] : [`state: ${say}`]),
  ];
}

function countOf(given: Given): number {
  const count = Number(given.text('count') ?? '1');
  if (Number.isInteger(count) && count >= 1 && count <= COUNT_MAX) return count;
  throw usage(`--count is a whole number from 1 to ${COUNT_MAX}`);
}

/** Exit code 0 where every probe passed, or found nothing wrong. */
export async function run(context: CliContext, given: Given): Promise<number> {
  const count = countOf(given);
  const { probe, rule } = checkOf(given);
  useOrigins(context.openOrigin);
  const programs = new ProgramRunner({ ...context, concurrencyMax: 1 });
  const probers = allProbers({ ...context, run: (program, onStart) => programs.run(program, onStart) });
  let passed = 0;
  let deadline = new AbortController();
  let asked = count;
  // A program has a group of its own, which the terminal does not interrupt.
  const stopListening = context.onInterrupt(() => {
    asked = 0;
    deadline.abort();
  });
  for (let index = 0; index < asked; index += 1) {
    deadline = new AbortController();
    const timer = context.timers.after(rule.timeout, () => deadline.abort());
    const result = await probeByType(probers, probe, deadline.signal);
    timer.cancel();
    if (result.reason.kind === 'ok') passed += 1;
    if (given.flag('json'))
      context.out(JSON.stringify({ ...result, phases: Object.fromEntries(result.phases) }));
    else for (const line of resultLines(result)) context.out(line);
  }
  stopListening();
  await programs.close();
  return passed === count ? EXIT.done : EXIT.failed;
}
