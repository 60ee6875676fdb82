/** The keys of websocket checks. */
import { type CheckKindSchema, PING_KEYS, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { HOST_KEYS, PATH_KEYS, REQUEST_KEYS } from './schema-check-web.js';
import { text } from './schema-kit.js';

const WEBSOCKET_KEYS = {
  ...PATH_KEYS,
  ...HOST_KEYS,
  ...REQUEST_KEYS,
  subprotocol: text(
    { expects: 'the name of a subprotocol', pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", longest: 64 },
    {
      says: 'The subprotocol to which the server must agree.',
      default: 'none is offered',
      example: 'mqtt',
    },
  ),
  ...PING_KEYS,
  ...TLS_CHOICE_KEYS,
};

export const websocket: CheckKindSchema & { readonly keys: typeof WEBSOCKET_KEYS } = {
  says: 'Passes when a WebSocket opens, agrees to the subprotocol, answers a ping where that is asked for, and closes.',
  keys: WEBSOCKET_KEYS,
};
