/** The schema of `tracks:`, and of what a virtual router says of them. */
import { type Static, Type } from 'typebox';
import { interfaceName } from './schema-interface.js';
import {
  choice,
  duration,
  integer,
  listOf,
  NAME_EXPECTS,
  NAME_PATTERN,
  named,
  optional,
  section,
  text,
  yesNo,
} from './schema-kit.js';
import { programUser, programWords } from './schema-program.js';

const TRACKS_MAX = 1000;
const COUNT_MAX = 1_000_000;
const PATH_PATTERN = '^/[^\\u0000]*$';

export const weight = (standard: string) =>
  Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    minimum: -253,
    maximum: 253,
    pattern: '^fault$',
    description:
      'Above 0: added to the priority while it is up. Below 0: taken away while it is down. For a file: times the number in it. `fault`: while it is down (for a file: not 0), the director does not take part.',
    'x-expects': '`fault`, or a whole number from -253 to 253',
    'x-type': 'points or `fault`',
    'x-range': '-253 to 253, not 0',
    'x-unit': 'points',
    'x-default': standard,
    'x-example': '-20',
  });

const reverse = (standard: string) =>
  yesNo({
    says: 'Turns it round: points change their sign, and with `weight: fault` being up is the fault.',
    default: standard,
    example: 'true',
  });

export const trackedScript = section(
  {
    program: programWords(
      'The program and its arguments. Exit code 0 is up; another one, a signal and a run that takes too long are down. What cannot be run changes nothing.',
      '[/usr/local/sbin/check-uplink, --quick]',
    ),
    ...optional({
      interval: duration('100ms', '24h', {
        says: 'From one start to the next.',
        default: '1s',
        example: '2s',
      }),
      timeout: duration('10ms', '24h', {
        says: 'How long a run may take. Then it is down, and the program is ended.',
        default: 'the interval',
        example: '500ms',
      }),
      rise: integer(1, 1000, {
        says: 'Passes in a row that turn down into up.',
        default: '1',
        example: '3',
        unit: 'runs',
        relation: 'The first result counts at once.',
      }),
      fall: integer(1, 1000, {
        says: 'Failures in a row that turn up into down.',
        default: '1',
        example: '2',
        unit: 'runs',
        relation: 'The first result counts at once.',
      }),
      user: programUser,
      assume: choice(['up', 'down'], {
        says: 'What it is taken for before its first result.',
        default: 'neither: it adds nothing and is no fault',
        example: 'down',
      }),
    }),
  },
  {
    says: 'A program that is run again and again.',
    default: 'none',
    example: '{ program: [/usr/local/sbin/check-uplink] }',
  },
);

const file = text(
  { expects: 'the absolute path of a file', type: 'path', pattern: PATH_PATTERN, longest: 4096 },
  {
    says: 'A file that holds a whole number. A file that is not there holds 0; one that holds anything else changes nothing.',
    default: 'none',
    example: '/etc/lvsentry/handicap',
  },
);

export const trackedProcess = section(
  {
    program: text(
      { expects: 'the name of a program without its folders', pattern: '^[^/\\u0000]+$', longest: 255 },
      { says: 'The name of the program, as `ps -o comm` shows it.', example: 'bird' },
    ),
    ...optional({
      arguments: listOf(
        text(
          { expects: 'text without zero bytes', pattern: '^[^\\u0000]*$', longest: 4096 },
          { says: 'An argument.', example: '-f' },
        ),
        64,
        { says: 'What its arguments begin with.', default: 'any', example: '[-c, /etc/bird.conf]' },
        false,
      ),
      minimum: integer(0, COUNT_MAX, {
        says: 'Up with so many of them, or more.',
        default: '1',
        example: '2',
        unit: 'processes',
      }),
      maximum: integer(0, COUNT_MAX, {
        says: 'Up with so many of them, or less.',
        default: 'any number',
        example: '8',
        unit: 'processes',
        relation: 'Not below `minimum`.',
      }),
      delay: duration('0s', '1h', {
        says: 'How long a change has to last until it counts.',
        default: '0s',
        example: '5s',
        relation: 'Processes are counted once a second.',
      }),
    }),
  },
  { says: 'Processes that have to run.', default: 'none', example: '{ program: bird }' },
);

export const trackedObject = section(
  optional({
    script: trackedScript,
    file,
    process: trackedProcess,
    interface: {
      ...interfaceName('A network interface: up with its carrier.', 'eth1'),
      'x-default': 'none',
    },
    weight: weight('`fault`; for a file 1'),
    reverse: reverse('false'),
  }),
  {
    says: 'Something to track.',
    example: '{ script: { program: [/usr/local/sbin/check-uplink] }, weight: -20 }',
    relation: 'Exactly one of `script`, `file`, `process` and `interface`.',
  },
);

export type RawTrackedObject = Static<typeof trackedObject>;

export const tracks = named(trackedObject, TRACKS_MAX, {
  says: 'What virtual routers may track, each under a name. Only what one of them names is watched, and once for all of them.',
  default: 'none',
  example: '{ uplink: { script: { program: [/usr/local/sbin/check-uplink] }, weight: -20 } }',
});

const objectName = (says: string) =>
  text(
    { expects: NAME_EXPECTS, type: 'name', pattern: NAME_PATTERN, longest: 63 },
    { says, example: 'uplink' },
  );

export const trackUse = section(
  {
    name: objectName('A name of `tracks`.'),
    ...optional({
      weight: weight('that of `tracks`'),
      reverse: reverse('that of `tracks`'),
    }),
  },
  { says: 'Something of `tracks`.', example: '{ name: uplink, weight: -30 }' },
);

export type RawTrackUse = Static<typeof trackUse>;

const USE_EXPECTS = 'a name of `tracks`, or a mapping (name, weight, reverse)';

export const trackUses = listOf(
  Type.Unsafe<string | RawTrackUse>({
    'x-expects': USE_EXPECTS,
    'x-type': 'name or mapping',
    description: 'Something of `tracks`: its name, or a mapping with a weight of its own.',
    if: { type: 'string' },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { type: 'string', pattern: NAME_PATTERN, maxLength: 63, 'x-expects': USE_EXPECTS },
    else: { ...trackUse, 'x-expects': USE_EXPECTS },
  }),
  TRACKS_MAX,
  {
    says: 'Scripts, files, processes and interfaces of `tracks`.',
    default: 'none',
    example: '[uplink, { name: handicap, weight: -1 }]',
  },
  false,
);
