/** Checks of MQTT brokers. */
import type { Target } from './spec-target.js';
import type { Login } from './spec-text.js';
import type { TlsUse } from './spec-tls.js';

export interface MqttCheck {
  readonly type: 'mqtt';
  readonly target: Target;
  /** The version of the protocol as it says it: 4 is MQTT 3.1.1. */
  readonly level: 4 | 5;
  /** Undefined: each probe has one of its own. */
  readonly clientId: string | undefined;
  /** Undefined: nobody logs in. */
  readonly login: Login | undefined;
  /** Whether a PINGREQ must be answered. */
  readonly ping: boolean;
  readonly tls: TlsUse | undefined;
}
