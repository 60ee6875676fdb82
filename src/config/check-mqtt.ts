/** mqtt checks. */
import type { MqttCheck } from '../checks/spec-mqtt.js';
import type { Target } from '../checks/spec-target.js';
import { login } from './check-login.js';
import { tlsUse } from './check-tls.js';
import { type Checked, type Context, FAULTY, report } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

/** The MQTT check that these layers describe. */
export function mqttProbe(context: Context, layers: Layers): Checked<(target: Target) => MqttCheck> {
  const version = pickValue(layers, 'mqtt-version', 'v3.1.1');
  const id = pick(layers, 'client-id');
  const ping = pickValue(layers, 'ping', false);
  const who = login(context, layers);
  const tls = tlsUse(context, layers);
  if (version === FAULTY || id === FAULTY || ping === FAULTY || who === FAULTY || tls === FAULTY)
    return FAULTY;
  if (tls?.start === 'starttls') {
    const at = pick(layers, 'tls');
    return at === undefined || at === FAULTY
      ? FAULTY
      : report(context, at, 'MQTT has no STARTTLS; use implicit, or none');
  }
  const level = version === 'v5' ? 5 : 4;
  return (target) => ({ type: 'mqtt', target, level, clientId: id?.value, login: who, ping, tls });
}
