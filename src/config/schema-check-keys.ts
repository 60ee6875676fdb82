/**
 * Keys of checks that several kinds share. A key has the same schema in every kind that has it: what stands in
 * `defaults.check` without a `type` is held against it before the kind is known.
 */
import type { TProperties } from 'typebox';
import { choice, duration, integer, port, text } from './schema-kit.js';

/** One kind of check, as the schema and the reference tell it. */
export interface CheckKindSchema {
  /** What passes, in a sentence or two for the reference. */
  readonly says: string;
  /** Its keys, beside those that all kinds share. */
  readonly keys: TProperties;
}

/** When to probe and what makes a verdict: the same keys for every type. */
export const RULE_KEYS = {
  interval: duration('10ms', '24h', {
    says: 'From the start of one probe to the start of the next.',
    default: '2s',
    example: '2s',
  }),
  timeout: duration('1ms', '24h', {
    says: 'One deadline for the whole probe, from connect to the last byte.',
    default: '1s, or the interval where that is shorter',
    example: '800ms',
    relation: 'Not above `interval`.',
  }),
  rise: integer(1, 1000, {
    says: 'Passes in a row that make a server up.',
    default: '2',
    example: '2',
    unit: 'probes',
  }),
  fall: integer(1, 1000, {
    says: 'Failures in a row that make a server down.',
    default: '3',
    example: '3',
    unit: 'probes',
    relation: 'A dead server leaves the table after at most `fall` x `interval` + `timeout`.',
  }),
  assume: choice(['up', 'down'], {
    says: 'What a server is thought to be before its first verdict. With `up` the first pass is the verdict up and down takes `fall` failures; with `down` the first failure is the verdict down and up takes `rise` passes.',
    default: 'up',
    example: 'down',
  }),
};

/** What every type may be told about its target. */
export const TARGET_KEYS = {
  port: port(1, {
    says: 'The port that is probed.',
    default: "the server's port",
    example: '8081',
    relation: 'Needed where the server has no port (port 0, fwmark).',
  }),
};

/** Text on one line, for the shape of `text`. */
export const line = (longest: number) => ({
  expects: 'text on one line',
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  longest,
});

/** Who logs in, and with what. */
export const LOGIN_KEYS = {
  user: text(line(255), {
    says: 'Who logs in. May refer to a secret.',
    default: 'anonymous',
    example: 'probe',
  }),
  password: text(line(1024), {
    says: 'The password. Better a reference to a secret than the secret.',
    default: 'lvsentry@ for anonymous',
    example: `'\${file:/etc/lvsentry/ftp-password}'`,
    relation: 'Needed with `user`, except for anonymous.',
    secret: true,
  }),
};
