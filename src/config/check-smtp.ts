import type { Target } from '../checks/spec-target.js';
import type { SmtpCheck } from '../checks/spec-text.js';
import { tlsUse } from './check-tls.js';
import { type Checked, type Context, FAULTY } from './cursor.js';
import { type Layers, pickValue } from './layers.js';

/** The SMTP check that these layers describe. */
export function smtpProbe(context: Context, layers: Layers): Checked<(target: Target) => SmtpCheck> {
  const { hostName } = context.deps;
  const hello = pickValue(layers, 'hello', /^[A-Za-z0-9.-]{1,255}$/.test(hostName) ? hostName : 'localhost');
  const tls = tlsUse(context, layers);
  if (hello === FAULTY || tls === FAULTY) return FAULTY;
  return (target) => ({ type: 'smtp', target, hello, tls });
}
