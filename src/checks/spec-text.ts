/** Checks that hold a dialogue of lines, or send and expect. */
import type { Target } from './spec-target.js';
import type { TlsSettings, TlsUse } from './spec-tls.js';

export interface SmtpCheck {
  readonly type: 'smtp';
  readonly target: Target;
  /** The name that is said in EHLO. */
  readonly hello: string;
  readonly tls: TlsUse | undefined;
}

/** One step of a send-expect dialogue. Text goes out, and is looked for, as UTF-8. */
export type DialogueStep =
  | { readonly kind: 'send' | 'expect'; readonly text: string }
  | { readonly kind: 'send-hex'; readonly hex: string }
  /** In the syntax of core/byte-pattern.ts. */
  | { readonly kind: 'expect-hex'; readonly pattern: string }
  /** In the syntax of core/regex-syntax.ts. */
  | { readonly kind: 'expect-regex'; readonly regex: string };

export interface SendExpectCheck {
  readonly type: 'send-expect';
  readonly target: Target;
  readonly steps: readonly DialogueStep[];
  readonly tls: TlsSettings | undefined;
}

/** Who logs in. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** A dialogue with or without a login. */
export interface MailboxCheck {
  readonly type: 'pop3' | 'imap' | 'nntp';
  readonly target: Target;
  /** Undefined: a greeting and a goodbye are enough. */
  readonly login: Login | undefined;
  readonly tls: TlsUse | undefined;
}

export interface MemcachedCheck {
  readonly type: 'memcached';
  readonly target: Target;
}

export interface TlsCheck {
  readonly type: 'tls';
  readonly target: Target;
  readonly tls: TlsSettings;
}
