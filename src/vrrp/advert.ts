/** The advert of an instance as a value: what `send-advert` sends (RFC 5798 7.2, RFC 3768 7.2). */
import type { InstanceConfig } from './model.js';
import type { VrrpMessage } from './packet.js';

const ADVERTISEMENT = 1;
const AUTH_NONE = 0;
const AUTH_PASSWORD = 1;
const AUTH_LENGTH = 8;
const SECOND = 1000;
const CENTI = 10;

/** `priority` is the machine's: its effective one, or 0 when it resigns. */
export function advertOf(config: InstanceConfig, priority: number): VrrpMessage {
  const { vrid, addresses, auth } = config;
  const { version, interval } = config.rule;
  const fields = { type: ADVERTISEMENT, vrid, priority, addresses };
  if (version === 3) return { version, ...fields, reserved: 0, intervalCentis: interval / CENTI };
  const secret = auth.kind === 'password' ? auth.data : undefined;
  return {
    version,
    ...fields,
    authType: secret === undefined ? AUTH_NONE : AUTH_PASSWORD,
    intervalSeconds: interval / SECOND,
    authData: secret ?? new Uint8Array(AUTH_LENGTH),
  };
}
