/** The schema of names of servers: `resolve:` of a server, and of the configuration. As schema.ts, it runs at build time only. */
import type { Static } from 'typebox';
import { choice, duration, integer, listOf, optional, section, text } from './schema-kit.js';

/** Of one name; the configuration's sizes count that many. */
const SERVERS_MAX = 256;

/** A name that one or more servers have in DNS. */
export const serverName = section(
  {
    name: text(
      { expects: 'a name in DNS, such as app.example.org', type: 'DNS name', longest: 253 },
      {
        says: 'The name as DNS has it, whole: nothing is added to it, and /etc/hosts is not read.',
        example: 'app.example.org',
      },
    ),
    ...optional({
      family: choice(['ipv4', 'ipv6'], {
        says: 'Which addresses are asked for: A or AAAA records.',
        default: "the family of the service's first address",
        example: 'ipv6',
      }),
      servers: integer(1, SERVERS_MAX, {
        says: 'At most so many addresses become servers; those that are servers already come first.',
        default: '32',
        example: '8',
        unit: 'servers',
      }),
    }),
  },
  {
    says: 'A name in place of an address. Every address that it has is a server of its own, called NAME@ADDRESS.',
    default: 'none; there is an `address`',
    example: '{ name: app.example.org }',
    relation: 'Either `address` or `resolve`. Not for a fallback.',
  },
);

export const resolve = section(
  optional({
    resolvers: listOf(
      text(
        { expects: 'an address, alone or with a port', type: 'address', longest: 64 },
        { says: 'A resolver; its port is 53 unless it says another.', example: '192.168.2.53' },
      ),
      8,
      {
        says: 'Who is asked, in this order.',
        default: 'those of /etc/resolv.conf, read anew for every question',
        example: "[192.168.2.53, '[2001:db8::53]:5353']",
      },
    ),
    timeout: duration('100ms', '30s', {
      says: 'For one question, to all resolvers together.',
      default: '3s',
      example: '1s',
    }),
    'minimum-ttl': duration('1s', '1h', {
      says: 'A name is not asked for again before this, whatever TTL its records have.',
      default: '5s',
      example: '2s',
    }),
    'maximum-ttl': duration('1s', '1d', {
      says: 'A name is asked for again after this at the latest.',
      default: '5m',
      example: '60s',
      relation: 'Not below `minimum-ttl`.',
    }),
    hold: duration('0s', '1d', {
      says: 'How long a server stays after the answers have ceased to hold its address.',
      default: '30s',
      example: '2m',
    }),
  }),
  {
    says: 'How the names of servers are looked up.',
    default: 'as /etc/resolv.conf says',
    example: '{ resolvers: [192.168.2.53], hold: 2m }',
  },
);

export type RawServerName = Static<typeof serverName>;
export type RawResolve = Static<typeof resolve>;
