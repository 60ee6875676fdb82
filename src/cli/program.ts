/** The command line: reads it by the rows of commands.ts, runs one command, and turns errors into exit codes. */
import { Argument, Command, CommanderError, Option } from 'commander';
import { packageVersion } from '../api/version.js';
import { errorText, LvsError } from '../core/errors.js';
import { COMMANDS, type CommandRow, type OptionRow } from './commands.js';
import { type CliContext, EXIT, type Given } from './context.js';

const DESCRIPTION = 'Health checks and IPVS table for Linux Virtual Server directors';
const EXIT_CODES = 'Exit codes: 0 done, 1 failed, 2 usage, 3 configuration error, 4 daemon not reachable';

function givenOf(row: CommandRow, words: readonly unknown[]): Given {
  const names = row.arguments?.map(({ name }) => name) ?? [];
  const given = Object.fromEntries(names.map((name, index) => [name, words[index]]));
  const values: Readonly<Record<string, unknown>> = { ...(words[names.length] as object), ...given };
  return {
    text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    texts: (name) => {
      const value = values[name];
      return Array.isArray(value) ? value.map(String) : [];
    },
    flag: (name) => values[name] === true,
  };
}

function optionOf({ flags, text, required, choices, default: value, conflicts, repeats }: OptionRow): Option {
  const option = new Option(flags, text)
    .makeOptionMandatory(required ?? false)
    .conflicts([...(conflicts ?? [])]);
  if (choices !== undefined) option.choices(choices);
  if (value !== undefined) option.default(value);
  if (repeats === true)
    option.argParser<readonly string[] | undefined>((word, before) => [...(before ?? []), word]);
  return option;
}

function addCommand(
  program: Command,
  row: CommandRow,
  run: (row: CommandRow, given: Given) => Promise<void>,
): void {
  const command = program.command(row.name).summary(row.summary).description(row.summary);
  for (const { name, text, choices } of row.arguments ?? []) {
    const argument = new Argument(`<${name}>`, text);
    if (choices !== undefined) argument.choices(choices);
    command.addArgument(argument);
  }
  for (const option of row.options) command.addOption(optionOf(option));
  command.action((...words: unknown[]) => run(row, givenOf(row, words)));
}

/** Errors of the world are one line; only a defect is worth its stack. */
function failed(context: CliContext, thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (!(thrown instanceof LvsError) || thrown.code === 'INTERNAL') {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    context.err(`lvsentry: a defect: ${stack ?? errorText(thrown)}`);
    return EXIT.failed;
  }
  context.err(`lvsentry: ${thrown.message}`);
  if (thrown.code === 'USAGE') return EXIT.usage;
  if (thrown.code === 'CONFIG') return EXIT.config;
  return thrown.code === 'API' ? EXIT.unreachable : EXIT.failed;
}

/**
 * Runs one command.
 * @param words what stands behind the program's name
 * @returns the exit code
 */
export async function runCli(words: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = EXIT.done;
  const trimmed = (print: (line: string) => void) => (text: string) => print(text.replace(/\n$/, ''));
  const program = new Command('lvsentry')
    .description(DESCRIPTION)
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', `\n${EXIT_CODES}`)
    .exitOverride()
    .configureOutput({
      writeOut: trimmed(context.out),
      writeErr: trimmed(context.err),
      outputError: (text, write) => write(text.replace(/^error: /, 'lvsentry: ')),
    })
    .showHelpAfterError('See `lvsentry help`.');
  for (const row of COMMANDS)
    addCommand(program, row, async (its, given) => {
      exitCode = await (await its.load()).run(context, given);
    });
  try {
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    return failed(context, thrown);
  }
}
