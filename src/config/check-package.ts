/** Kinds of check that speak by a library which only they need, and which not everybody has. */
import type { CheckType } from '../checks/model.js';
import { type Context, FAULTY, type Faulty, report } from './cursor.js';
import { type Layers, pick } from './layers.js';

const PACKAGES: Partial<Record<CheckType, string>> = { mysql: 'mysql2', postgres: 'pg', ldap: 'ldapts' };

/** Reports a check whose library is not installed. */
export function needPackage(context: Context, type: CheckType, layers: Layers): Faulty | undefined {
  const name = PACKAGES[type];
  if (name === undefined || context.deps.hasPackage(name)) return undefined;
  const at = pick(layers, 'type');
  return at === undefined || at === FAULTY
    ? FAULTY
    : report(context, at, `it needs the package ${name}, which is not installed: npm install ${name}`);
}
