/** The schema of what is done about what is ours, and about what is not. */
import { type Static, Type } from 'typebox';
import { choice, type Doc, duration, optional, section, yesNo } from './schema-kit.js';

const POLICIES = ['repair', 'report', 'accept'] as const;
type Policy = (typeof POLICIES)[number];

const policy = (says: string, example: Policy) => choice(POLICIES, { says, default: 'as above', example });

/** A word, or a mapping that says more. */
function wordOr<Word extends string, More extends object>(
  word: object,
  more: object,
  doc: Doc & { readonly expects: string; readonly type: string; readonly range: string },
) {
  return Type.Unsafe<Word | More>({
    'x-expects': doc.expects,
    'x-type': doc.type,
    'x-range': doc.range,
    'x-example': doc.example,
    ...(doc.default === undefined ? {} : { 'x-default': doc.default }),
    ...(doc.relation === undefined ? {} : { 'x-relation': doc.relation }),
    description: doc.says,
    if: { type: 'string' },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: word,
    else: { ...more, 'x-expects': doc.expects },
  });
}

const entryKinds = {
  service: policy('The virtual service itself: removed, or with other settings.', 'repair'),
  removed: policy('A server was removed.', 'report'),
  added: policy(
    'A server that should get no new connections gets them: it was put back, or its weight 0 was raised.',
    'report',
  ),
  weight: policy('A server has another weight.', 'accept'),
  settings: policy('A server has another forwarding method, tunnel or thresholds.', 'repair'),
};

const besideKinds = {
  timeouts: policy('A time-out of connections that `timeouts` names has another value.', 'accept'),
  sync: policy(
    'A daemon of `sync` was stopped or started, or runs with other settings. One that lost its interface is always started again.',
    'report',
  ),
};

const BY_KIND = {
  says: 'What is done, by the kind of change.',
  example: '{ weight: accept, removed: report }',
};
const serviceKinds = section(optional(entryKinds), BY_KIND);
const allKinds = section(optional({ ...entryKinds, ...besideKinds }), BY_KIND);

const ENTRY_WORDS = '`service`, `removed`, `added`, `weight`, `settings`';

/** @param kinds in words */
function driftBy<More extends object>(more: object, byDefault: string, kinds: string) {
  return wordOr<Policy, More>(
    choice(POLICIES, { says: 'For every kind of change.', example: 'report' }),
    more,
    {
      says: `What is done when somebody else changed what is ours: \`repair\` puts it back, \`report\` tells and leaves it until something else is wanted of it, \`accept\` makes it what is wanted from now on. One word for every kind of change, or a mapping by kind: ${kinds}.`,
      default: byDefault,
      example: '{ weight: accept, removed: report }',
      type: 'word or mapping',
      range: POLICIES.join(', '),
      expects: `one of ${POLICIES.join(', ')}, or a mapping (service, removed, added ...)`,
    },
  );
}

/** Of a service. */
export const serviceDrift = driftBy<Static<typeof serviceKinds>>(
  serviceKinds,
  "the configuration's",
  ENTRY_WORDS,
);

/** Of the configuration: of the kernel beside the table, too. */
export const drift = driftBy<Static<typeof allKinds>>(
  allKinds,
  'repair',
  `${ENTRY_WORDS}, \`timeouts\`, \`sync\``,
);

export const exclusive = yesNo({
  says: 'The whole table is ours: services and servers that the configuration does not name are removed. Not before everything that it does name is in the table, and never at a stop.',
  default: 'false',
  example: 'true',
  relation: 'Not with `services: {}`.',
});

export const coldStart = duration('1s', '1h', {
  says: 'How long after a start a server without a verdict stays as the table has it. Then what its check assumes counts.',
  default: '60s',
  example: '30s',
});

const drained = (deadline: string) =>
  section(
    {
      drain: duration('1s', '1d', {
        says: 'How long to wait for connections to end; those that are left then are cut off.',
        example: deadline,
      }),
    },
    { says: 'Weights become 0; what is empty goes.', example: `{ drain: ${deadline} }` },
  );

function leaving<const Words extends readonly string[]>(words: Words, deadline: string, doc: Doc) {
  const more = drained(deadline);
  return wordOr<Words[number], Static<typeof more>>(
    choice(words, { says: 'How it goes.', example: 'remove' }),
    more,
    {
      ...doc,
      type: 'word or mapping',
      range: words.join(', '),
      expects: `one of ${words.join(', ')}, or a mapping (drain)`,
    },
  );
}

export const onStop = (byDefault: string) =>
  leaving(['keep', 'remove', 'drain'], '30s', {
    says: 'What happens to our services when the daemon is told to stop: `keep` leaves them as they are, `remove` takes them out of the table, `drain` gives them no new connections, waits until they are empty, for 30s unless it says how long, and takes them out. Servers of others stay, and their service with them.',
    default: byDefault,
    example: '{ drain: 20s }',
  });

export const onRemove = (byDefault: string) =>
  leaving(['remove', 'drain'], '5m', {
    says: 'What happens to a service or server that leaves the configuration: `remove` takes it out of the table, `drain` gives it no new connections, waits until it is empty, for 5m unless it says how long, and takes it out.',
    default: byDefault,
    example: '{ drain: 10m }',
  });
