/** exec checks. */
import type { ExecCheck } from '../checks/spec-program.js';
import type { Target } from '../checks/spec-target.js';
import type { ProbedNames } from './check-names.js';
import { type Checked, type Context, type Cursor, entries, FAULTY, items, report } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';
import { programOf } from './program.js';
import { expandSecrets } from './secrets.js';

const PLACEHOLDER = /\$\{([^}]*)\}/g;
/** mon's own: behind it come no hosts. */
const NO_HOSTS = ';;';

/** Where mon of Debian has its things. */
const MON_FOLDERS = {
  MON_STATEDIR: '/var/lib/mon',
  MON_LOGDIR: '/var/log/mon',
  MON_CFBASEDIR: '/etc/mon',
};

type Values = Readonly<Record<'address' | 'port' | 'name' | 'service', string>>;

function isValue(word: string): word is keyof Values {
  return word === 'address' || word === 'port' || word === 'name' || word === 'service';
}

function fill(word: string, values: Values): string {
  return word.replaceAll(PLACEHOLDER, (whole, name: string) => (isValue(name) ? values[name] : whole));
}

/** The placeholders of an argument are known ones. */
function isKnown(context: Context, at: Cursor<string>): boolean {
  for (const [whole, name = ''] of at.value.matchAll(PLACEHOLDER)) {
    if (isValue(name)) continue;
    const problem = /^(env|file):/.test(name)
      ? 'everybody on this machine can read the arguments of a program; give it the secret by `environment`'
      : `${whole} stands for nothing; there are \${address}, \${port}, \${name} and \${service}`;
    report(context, at, problem);
    return false;
  }
  return true;
}

function wordsOf(context: Context, layers: Layers): Checked<readonly [string, ...string[]]> {
  const at = pick(layers, 'program');
  if (at === FAULTY) return FAULTY;
  if (at === undefined) {
    const type = pick(layers, 'type');
    return type === undefined || type === FAULTY
      ? FAULTY
      : report(context, type, 'its `program` is missing: the path, then the arguments');
  }
  const argv = programOf(context, at);
  const [path, ...rest] = items(at);
  if (argv === FAULTY || path === undefined || path === FAULTY) return FAULTY;
  const problem = context.deps.programProblem(argv[0]);
  if (problem !== undefined) return report(context, path, `${argv[0]} ${problem}`);
  return rest.every((word) => word !== FAULTY && isKnown(context, word)) ? argv : FAULTY;
}

function environmentOf(context: Context, layers: Layers): Checked<Readonly<Record<string, string>>> {
  const at = pick(layers, 'environment');
  if (at === undefined) return {};
  if (at === FAULTY) return FAULTY;
  const found: Record<string, string> = {};
  for (const [name, value] of entries(at)) {
    const text = expandSecrets(context, value);
    if (text === FAULTY) return FAULTY;
    if (text.includes('\0')) return report(context, value, 'what it stands for has a zero byte');
    found[name] = text;
  }
  return found;
}

/** Whether an exec check of these layers is told the port. */
export function usesPort(layers: Layers): boolean {
  const at = pick(layers, 'program');
  return at !== undefined && at !== FAULTY && at.value.some((word) => word.includes(`\${port}`));
}

/** The arguments as mon gives them: the hosts stand last. */
function monWords(words: readonly string[], address: string): readonly string[] {
  return words.at(-1) === NO_HOSTS ? words.slice(0, -1) : [...words, address];
}

/** The check by a program that these layers describe. */
export function execProbe(
  context: Context,
  layers: Layers,
): Checked<(target: Target, names: ProbedNames) => ExecCheck> {
  const program = wordsOf(context, layers);
  const contract = pickValue(layers, 'contract', 'exit');
  const user = pick(layers, 'run-as');
  const environment = environmentOf(context, layers);
  if (program === FAULTY || contract === FAULTY || user === FAULTY || environment === FAULTY) return FAULTY;
  const [path, ...words] = program;
  return (target, { service, server, check }) => {
    const { address, port } = target;
    const filled = words.map((word) => fill(word, { address, port: String(port), name: server, service }));
    const isMon = contract === 'mon';
    return {
      type: 'exec',
      target,
      argv: [path, ...(isMon ? monWords(filled, address) : filled)],
      user: user?.value,
      environment: isMon
        ? { ...MON_FOLDERS, MON_GROUP: service, MON_SERVICE: check, ...environment }
        : environment,
      contract,
    };
  };
}
