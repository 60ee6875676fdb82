/** Configurations as text for tests, and what the outside answers. */
import type { ConfigDeps, FileText } from '../../src/config/cursor.js';
import { faultText, type Source } from '../../src/config/faults.js';
import type { Config, ServerConfig, ServiceConfig } from '../../src/config/model.js';
import { parseConfig } from '../../src/config/parse.js';

/** Secrets and files that exist in these tests. */
export function outside(
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): ConfigDeps {
  const readFile = (path: string): FileText => {
    const text = files[path];
    return text === undefined ? { ok: false, problem: 'does not exist' } : { ok: true, text };
  };
  return {
    hostName: 'director',
    env: (name) => env[name],
    readFile,
    hasPackage: () => true,
    programProblem: () => undefined,
  };
}

export function source(text: string, file = 'a.yaml'): Source {
  return { file, text };
}

/** The configuration of a text that must be right. */
export function configOf(text: string, deps: ConfigDeps = outside()): Config {
  const result = parseConfig([source(text)], deps);
  if (!result.ok) throw new Error(result.faults.map(faultText).join('\n'));
  return result.config;
}

/** The faults of texts, as an operator reads them; files are named a.yaml, b.yaml ... */
export function faultsOf(texts: string | readonly string[], deps: ConfigDeps = outside()): readonly string[] {
  const all = typeof texts === 'string' ? [texts] : texts;
  const sources = all.map((text, index) => source(text, `${String.fromCharCode(97 + index)}.yaml`));
  const result = parseConfig(sources, deps);
  return result.ok ? [] : result.faults.map(faultText);
}

/** The only service of a text: its lines stand below `services: web:`. */
export function serviceOf(lines: string, deps?: ConfigDeps): ServiceConfig {
  const [service] = configOf(serviceText(lines), deps).services;
  if (service === undefined) throw new Error('the text has no service');
  return service;
}

export function serviceText(lines: string): string {
  const indented = lines
    .trim()
    .split('\n')
    .map((line) => `    ${line}`);
  return `services:\n  web:\n${indented.join('\n')}\n`;
}

/** The first server of a service. */
export function serverOf(lines: string, deps?: ConfigDeps): ServerConfig {
  const [server] = serviceOf(lines, deps).servers;
  if (server === undefined) throw new Error('the service has no server');
  return server;
}
