/** `lvsentry reload`: the daemon reads its configuration again. */
import type { Reload } from '../api/control.js';
import { changeText } from '../plan-words.js';
import { tellDaemon } from './client.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { tokenOf } from './token.js';
import { daemonOf } from './where.js';

function* reloadLines({ changes, done, failed }: Reload): Generator<string> {
  for (const change of changes)
    yield change.error === null ? changeText(change) : `# refused: ${changeText(change)}: ${change.error}`;
  const more = done + failed - changes.length;
  if (more > 0) yield `# ${more} more changes`;
  if (done + failed === 0) yield '# no changes: the table is as the configuration wants it';
  const refused = failed === 0 ? '' : `, ${failed} refused, which are tried again`;
  yield `the new configuration is in force: ${done} changes of the table${refused}`;
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const where = await daemonOf(context, given);
  if (where === undefined) return EXIT.config;
  const { status, body } = await tellDaemon(where, '/v1/reload', { token: tokenOf(given), body: '{}' });
  if (given.flag('json')) context.out(body);
  else if (status === 200) for (const line of reloadLines(JSON.parse(body) as Reload)) context.out(line);
  else {
    const { faults } = JSON.parse(body) as Reload;
    for (const fault of faults) context.err(fault);
    context.err('lvsentry: the new configuration is refused; the old one goes on');
  }
  return status === 200 ? EXIT.done : EXIT.config;
}
