import type { Target } from '../checks/spec-target.js';
import type { WebSocketCheck } from '../checks/spec-web.js';
import { endpointText } from '../core/ip.js';
import { credentials, headers, webTls } from './check-web.js';
import { type Checked, type Context, FAULTY, reportKey } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

/** Headers of the opening handshake, which the probe writes itself (RFC 6455 4.1). */
const HANDSHAKE = /^(?:upgrade|sec-websocket-.*)$/;

function ownHeaders(context: Context, layers: Layers): Checked<WebSocketCheck['headers']> {
  const list = headers(context, layers);
  if (list === FAULTY || !list.some(([name]) => HANDSHAKE.test(name))) return list;
  const at = pick(layers, 'headers');
  return at === undefined || at === FAULTY
    ? FAULTY
    : reportKey(
        context,
        at,
        'the headers of the handshake (upgrade, sec-websocket-...) are written by the probe',
      );
}

/** The WebSocket check that these layers describe. */
export function webSocketProbe(
  context: Context,
  layers: Layers,
): Checked<(target: Target) => WebSocketCheck> {
  const path = pickValue(layers, 'path', '/');
  const host = pick(layers, 'host');
  const subprotocol = pick(layers, 'subprotocol');
  const ping = pickValue(layers, 'ping', false);
  const list = ownHeaders(context, layers);
  const who = credentials(context, layers, list);
  if (path === FAULTY || host === FAULTY || subprotocol === FAULTY || ping === FAULTY) return FAULTY;
  const tls = webTls(context, layers, host?.value, ['http/1.1']);
  if (list === FAULTY || who === FAULTY || tls === FAULTY) return FAULTY;
  return (target) => ({
    type: 'websocket',
    target,
    path,
    host: host?.value ?? endpointText(target.address, target.port),
    headers: list,
    credentials: who,
    subprotocol: subprotocol?.value,
    ping,
    tls,
  });
}
