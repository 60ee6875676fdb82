/** Lines that people paste into a shell. */

const PLAIN_WORD = /^[\w.,:/=@%+-]+$/;

/** A word as the shell reads it: quoted where it holds anything that the shell would obey. */
export function shellWord(text: string): string {
  return PLAIN_WORD.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command line of these words. */
export function shellLine(...words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

/** A setting of `Sysctls` as sysctl(8) names it; with slashes where an interface has a dot in its name. */
export function settingName(path: string): string {
  const full = `net/${path}`;
  return full.includes('.') ? full : full.replaceAll('/', '.');
}

/** The line that gives settings of `Sysctls` these values. */
export function settingLine(...settings: readonly (readonly [path: string, value: string])[]): string {
  return shellLine('sysctl', '-w', ...settings.map(([path, value]) => `${settingName(path)}=${value}`));
}
