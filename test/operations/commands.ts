/** The commands that documents tell an operator to run. */

export interface DocCommand {
  readonly document: string;
  /** As a shell reads it, on one line and without its comment. */
  readonly line: string;
}

/** A comment that stands behind a command, or a whole line of it. */
const COMMENT = /(^|\s{2,})# .*$/;

/** Commands of the blocks that are marked as shell. */
export function shellLines(document: string, markdown: string): readonly DocCommand[] {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap((match) => (match[1] ?? '').replaceAll('\\\n', '').split('\n'))
    .map((line) => line.replace(COMMENT, '').replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .map((line) => ({ document, line }));
}

/** Commands of lvsentry in running text and tables: all that begins with its name, in backquotes. */
export function inlineCommands(document: string, markdown: string): readonly DocCommand[] {
  const text = markdown.replace(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/`(lvsentry [^`]+)`/g)].map((match) => ({ document, line: match[1] ?? '' }));
}

/** The help of each command, by its name. @param help what `--help` prints, of every command, as test/cli/help.txt has it */
export function helpByCommand(help: string): ReadonlyMap<string, string> {
  return new Map(
    help
      .split(/^\$ lvsentry /m)
      .map((section) => [section.slice(0, section.search(/[ \n]/)), section] as const)
      .filter(([name]) => name !== '' && !name.startsWith('-')),
  );
}

/** What the program has not: undefined where the command and each of its options are there. */
export function unknownIn(line: string, help: ReadonlyMap<string, string>): string | undefined {
  const [name = '', ...words] = line.replace(/^(npx )?lvsentry /, '').split(' ');
  if (name === 'help') return undefined;
  const section = help.get(name);
  if (section === undefined) return `command ${name}`;
  return words.find(
    (word) => /^--?[a-z]/.test(word) && !new RegExp(`^ +(-\\w, )?${word}[ ,]|^ +${word},`, 'm').test(section),
  );
}
