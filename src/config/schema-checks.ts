/**
 * The schema of checks: one mapping for each type, told apart by `type`. A new kind has its keys in a file of its own,
 * a row in CHECK_KINDS and one in `anyCheck`.
 */
import { type Static, Type } from 'typebox';
import { CHECK_TYPES, type CheckType } from '../checks/model.js';
import { agent } from './schema-check-agent.js';
import { sendExpect, udp } from './schema-check-bytes.js';
import { mysql, postgres, redis } from './schema-check-database.js';
import { ldap } from './schema-check-directory.js';
import { exec } from './schema-check-exec.js';
import { file } from './schema-check-file.js';
import { ftp } from './schema-check-ftp.js';
import { grpc } from './schema-check-grpc.js';
import { http, https } from './schema-check-http.js';
import { type CheckKindSchema, NAME_KEYS, PLACE_KEYS, RULE_KEYS, TARGET_KEYS } from './schema-check-keys.js';
import { imap, memcached, nntp, pop3 } from './schema-check-mail.js';
import { mqtt } from './schema-check-mqtt.js';
import { ping } from './schema-check-ping.js';
import { radius } from './schema-check-radius.js';
import { dns, ntp, sip, tls } from './schema-check-service.js';
import { smtp } from './schema-check-smtp.js';
import { websocket } from './schema-check-websocket.js';
import { choice, optional, section } from './schema-kit.js';

const tcp = { says: 'Passes when a connection opens.', keys: {} };

/** Every kind, in the order of the reference. */
export const CHECK_KINDS: Readonly<Record<CheckType, CheckKindSchema>> = {
  tcp,
  ping,
  'send-expect': sendExpect,
  udp,
  http,
  https,
  grpc,
  websocket,
  ftp,
  smtp,
  pop3,
  imap,
  nntp,
  memcached,
  tls,
  dns,
  ntp,
  sip,
  redis,
  mysql,
  postgres,
  ldap,
  agent,
  exec,
  file,
  radius,
  mqtt,
};

const CHECK_DOC = { says: 'How servers are probed.', example: '{ type: http, path: /health }' };

function typed(word: string, { keys, port, origin }: CheckKindSchema) {
  const type = Type.Literal(word, { 'x-expects': `"${word}"` });
  const place = port === 'none' ? NAME_KEYS : origin === 'none' ? PLACE_KEYS : TARGET_KEYS;
  return section({ type, ...optional({ ...RULE_KEYS, ...place, ...keys }) }, CHECK_DOC);
}

/** Every key of every type. Which belong to which type is known only once `type` was inherited. */
export const anyCheck = section(
  optional({
    type: choice(CHECK_TYPES, {
      says: 'What is probed with.',
      default: 'what an outer level says, else tcp',
      example: 'http',
    }),
    ...RULE_KEYS,
    ...TARGET_KEYS,
    ...tcp.keys,
    ...ping.keys,
    ...http.keys,
    ...https.keys,
    ...grpc.keys,
    ...websocket.keys,
    ...ftp.keys,
    ...sendExpect.keys,
    ...udp.keys,
    ...smtp.keys,
    ...pop3.keys,
    ...imap.keys,
    ...nntp.keys,
    ...memcached.keys,
    ...tls.keys,
    ...dns.keys,
    ...ntp.keys,
    ...sip.keys,
    ...redis.keys,
    ...mysql.keys,
    ...postgres.keys,
    ...ldap.keys,
    ...agent.keys,
    ...exec.keys,
    ...file.keys,
    ...radius.keys,
    ...mqtt.keys,
  }),
  CHECK_DOC,
);

export type RawCheck = Static<typeof anyCheck>;

/** With `type`, exactly the keys of that type; without it, any (the type comes from an outer level). */
export const checkDefinition = Type.Unsafe<RawCheck>({
  type: 'object',
  description: CHECK_DOC.says,
  'x-expects': 'a mapping (type, interval, timeout ...)',
  if: { type: 'object', required: ['type'] },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: {
    type: 'object',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: CHECK_TYPES.map((word) => typed(word, CHECK_KINDS[word])),
  },
  else: anyCheck,
});

/** A check where it stands in the file. */
export function check(says: string) {
  return Type.Unsafe<RawCheck>({
    $ref: '#/definitions/check',
    description: says,
    'x-type': 'check',
    'x-default': 'the level above; see [Checks](#checks)',
    'x-example': CHECK_DOC.example,
  });
}
