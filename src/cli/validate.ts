/** `lvsentry validate`: every fault of a configuration. */
import { faultText } from '../config/faults.js';
import { loadConfig } from '../config/load.js';
import type { Config, ConfigFault } from '../config/model.js';
import { assert } from '../core/assert.js';
import { budgetText } from '../probing.js';
import { type CliContext, EXIT, type Given } from './context.js';

const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

function summary({ services, alerts, vrrp }: Config): string {
  const servers = services.reduce((sum, service) => sum + service.servers.length, 0);
  return [
    counted(services.length, 'service'),
    counted(servers, 'server'),
    ...(vrrp.length === 0 ? [] : [counted(vrrp.length, 'virtual router')]),
    counted(alerts.length, 'alert'),
  ].join(', ');
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const path = given.text('path');
  assert(path !== undefined, 'the command line has a path');
  const loaded = loadConfig(path);
  const faults: readonly ConfigFault[] = loaded.ok ? [] : loaded.faults;
  if (given.flag('json')) {
    context.out(JSON.stringify({ valid: loaded.ok, faults }));
  } else if (loaded.ok) {
    context.out(`${path} is valid: ${summary(loaded.config)}`);
    const stretched = budgetText(loaded.config);
    if (stretched !== undefined) context.out(`note: ${stretched}`);
  } else {
    for (const fault of faults) context.err(faultText(fault));
  }
  return loaded.ok ? EXIT.done : EXIT.config;
}
