/** `lvsentry doctor`: what is wrong with this machine as a director, and the line that fixes it. */
import type { Config } from '../config/model.js';
import type { Finding, Severity } from '../doctor/model.js';
import { diagnose } from '../doctor/rules.js';
import { type CliContext, EXIT, type Given } from './context.js';

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note', 'ok'];

function counts(findings: readonly Finding[]): Readonly<Record<Severity, number>> {
  const count = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
  return { error: count('error'), warning: count('warning'), note: count('note'), ok: count('ok') };
}

function* lines(findings: readonly Finding[]): Generator<string> {
  for (const { id, severity, seen, why, fix } of findings) {
    yield `${severity.padEnd(8)} ${id}: ${seen}`;
    if (why !== undefined) yield `         ${why}`;
    if (fix !== undefined) yield `         fix: ${fix}`;
  }
  const { error, warning, note, ok } = counts(findings);
  yield `errors: ${error}, warnings: ${warning}, notes: ${note}, right: ${ok}`;
}

export async function run(context: CliContext, given: Given): Promise<number> {
  let config: Config | undefined;
  if (given.text('config') !== undefined) {
    const { readConfig } = await import('./config.js');
    config = readConfig(context, given);
    if (config === undefined) return EXIT.config;
  }
  const findings = diagnose(await context.examine(config));
  if (given.flag('json')) {
    const listed = findings.map((each) => ({ ...each, why: each.why ?? null, fix: each.fix ?? null }));
    context.out(JSON.stringify({ findings: listed, counts: counts(findings) }));
  } else {
    const order = (severity: Severity) => findings.filter((each) => each.severity === severity);
    for (const line of lines(SEVERITIES.flatMap(order))) context.out(line);
  }
  return findings.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.done;
}
