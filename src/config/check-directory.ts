/** ldap checks. */
import type { LdapCheck, LdapSearch } from '../checks/spec-directory.js';
import type { Target } from '../checks/spec-target.js';
import { login } from './check-login.js';
import { tlsUse } from './check-tls.js';
import { type Checked, type Context, FAULTY, reportKey } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

const SEARCH_KEYS = ['scope', 'filter', 'minimum-entries'] as const;

function search(context: Context, layers: Layers): Checked<LdapSearch | undefined> {
  const base = pick(layers, 'base');
  const scope = pickValue(layers, 'scope', 'base');
  const filter = pickValue(layers, 'filter', '(objectClass=*)');
  const entriesMin = pickValue(layers, 'minimum-entries', 1);
  if (base === FAULTY || scope === FAULTY || filter === FAULTY || entriesMin === FAULTY) return FAULTY;
  if (base !== undefined) return { base: base.value, scope, filter, entriesMin };
  for (const key of SEARCH_KEYS) {
    const at = pick(layers, key);
    if (at !== undefined && at !== FAULTY) return reportKey(context, at, 'there is no `base` to search at');
  }
  return undefined;
}

/** The LDAP check that these layers describe. */
export function ldapProbe(context: Context, layers: Layers): Checked<(target: Target) => LdapCheck> {
  const who = login(context, layers);
  const what = search(context, layers);
  const tls = tlsUse(context, layers);
  if (who === FAULTY || what === FAULTY || tls === FAULTY) return FAULTY;
  return (target) => ({ type: 'ldap', target, login: who, search: what, tls });
}
