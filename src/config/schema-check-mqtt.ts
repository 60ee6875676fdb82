/** The keys of mqtt checks. */
import { type CheckKindSchema, LOGIN_KEYS, line, PING_KEYS, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { choice, text } from './schema-kit.js';

const MQTT_KEYS = {
  ...LOGIN_KEYS,
  'mqtt-version': choice(['v3.1.1', 'v5'], {
    says: 'The version of MQTT that is spoken.',
    default: 'v3.1.1',
    example: 'v5',
  }),
  'client-id': text(line(255), {
    says: 'The client id. A broker ends the older one of two sessions with the same id, so two directors must not share it.',
    default: 'lvsentry and letters of chance, for each probe',
    example: 'director-a',
  }),
  ...PING_KEYS,
  ...TLS_CHOICE_KEYS,
};

export const mqtt: CheckKindSchema & { readonly keys: typeof MQTT_KEYS } = {
  says: 'Passes when the broker takes a CONNECT with a clean session, and answers a ping where that is asked for.',
  keys: MQTT_KEYS,
};
