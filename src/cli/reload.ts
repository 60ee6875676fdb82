/** `lvsentry reload`: the daemon reads its configuration again. */
import { tellDaemon } from './client.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { tokenOf } from './token.js';
import { daemonOf } from './where.js';

export async function run(context: CliContext, given: Given): Promise<number> {
  const where = await daemonOf(context, given);
  if (where === undefined) return EXIT.config;
  const { status, body } = await tellDaemon(where, '/v1/reload', { token: tokenOf(given), body: '{}' });
  if (given.flag('json')) context.out(body);
  else if (status === 200) context.out('the new configuration is in force');
  else {
    const { faults } = JSON.parse(body) as { readonly faults: readonly string[] };
    for (const fault of faults) context.err(fault);
    context.err('lvsentry: the new configuration is refused; the old one goes on');
  }
  return status === 200 ? EXIT.done : EXIT.config;
}
