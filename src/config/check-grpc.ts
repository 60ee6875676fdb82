import type { Target } from '../checks/spec-target.js';
import type { GrpcCheck } from '../checks/spec-web.js';
import { endpointText } from '../core/ip.js';
import { webTls } from './check-web.js';
import { type Checked, type Context, FAULTY } from './cursor.js';
import { type Layers, pick } from './layers.js';

/** The gRPC check that these layers describe. */
export function grpcProbe(context: Context, layers: Layers): Checked<(target: Target) => GrpcCheck> {
  const service = pick(layers, 'service');
  const host = pick(layers, 'host');
  if (service === FAULTY || host === FAULTY) return FAULTY;
  const tls = webTls(context, layers, host?.value, ['h2']);
  if (tls === FAULTY) return FAULTY;
  return (target) => ({
    type: 'grpc',
    target,
    service: service?.value ?? '',
    host: host?.value ?? endpointText(target.address, target.port),
    tls,
  });
}
