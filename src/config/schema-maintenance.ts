/** The schema of `maintenance:` and of `tags`. As schema.ts, it runs at build time only. */
import type { Static } from 'typebox';
import { duration, listOf, name, optional, section, text } from './schema-kit.js';

const TAGS_MAX = 32;
export const WINDOWS_MAX = 1000;

export const tags = (says: string) =>
  listOf(name({ says: 'A tag.', example: 'rack-3' }), TAGS_MAX, {
    says,
    default: 'none',
    example: '[rack-3]',
  });

const time = (says: string, example: string, relation: string) =>
  text(
    { expects: 'a time with its zone, such as 2026-12-01T03:00:00+01:00', type: 'time', longest: 40 },
    { says, example, relation },
  );

export const maintenanceWindow = section(
  optional({
    schedule: text(
      { expects: 'five fields as in crontab(5), such as 0 3 * * sun', type: 'schedule', longest: 200 },
      {
        says: 'When the window begins, again and again: minute, hour, day of the month, month, day of the week.',
        example: '0 3 * * sun',
        relation: 'Either this, with `duration`, or `from` and `until`.',
      },
    ),
    timezone: text(
      { expects: 'a time zone such as Europe/Berlin', type: 'time zone', longest: 64 },
      {
        says: 'Whose clocks the schedule means. A beginning that they skip is as much later; of one that they show twice the first counts.',
        default: 'UTC',
        example: 'Europe/Berlin',
        relation: 'Only with `schedule`.',
      },
    ),
    duration: duration('1m', '7d', {
      says: 'How long the window is.',
      example: '2h',
      relation: 'Needed with `schedule`.',
    }),
    from: time(
      'When a window that comes once begins.',
      "'2026-12-01T03:00:00+01:00'",
      'Together with `until`.',
    ),
    until: time('When it ends.', "'2026-12-01T05:00:00+01:00'", 'Behind `from`.'),
    ahead: duration('0s', '1d', {
      says: 'The servers are drained this long before the window begins.',
      default: '0s',
      example: '10m',
    }),
    servers: listOf(
      text(
        { expects: "a server's name or address, or SERVICE/SERVER", type: 'server', longest: 127 },
        { says: 'A server.', example: 'web1' },
      ),
      10_000,
      {
        says: 'Servers by name or address, in all services or, as `SERVICE/SERVER`, in one.',
        example: '[web1, shop/shop2]',
        relation:
          'At least one of `servers`, `services` and `tags`; a server need only be named by one of them.',
      },
    ),
    services: listOf(name({ says: 'A service.', example: 'web' }), 10_000, {
      says: 'All servers of these services.',
      example: '[ftp]',
    }),
    tags: tags('All servers that have one of these tags, or whose service has.'),
    reason: text(
      { expects: 'text', longest: 500 },
      { says: 'Why, for people: in status and events.', default: 'none', example: 'kernel updates' },
    ),
  }),
  {
    says: 'A time in which servers are drained.',
    example: '{ schedule: 0 3 * * sun, duration: 2h, tags: [rack-3] }',
  },
);

export type RawWindow = Static<typeof maintenanceWindow>;
