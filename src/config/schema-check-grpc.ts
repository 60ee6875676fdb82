/** The keys of grpc checks. */
import { type CheckKindSchema, line, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { HOST_KEYS } from './schema-check-web.js';
import { text } from './schema-kit.js';

const GRPC_KEYS = {
  service: text(line(255), {
    says: 'The service whose health is asked for, as the server knows it.',
    default: 'the server as a whole',
    example: 'shop.Basket',
  }),
  ...HOST_KEYS,
  ...TLS_CHOICE_KEYS,
};

export const grpc: CheckKindSchema & { readonly keys: typeof GRPC_KEYS } = {
  says: "Passes when the server's health service (grpc.health.v1) says SERVING.",
  keys: GRPC_KEYS,
};
