/** POP3, IMAP, NNTP and memcached checks: a greeting, TLS and a login where they are asked for, and a goodbye. */
import {
  type ImapReply,
  ImapReplyReader,
  imapQuoted,
  type MemcachedReply,
  MemcachedReplyReader,
  NntpReplyReader,
  type Pop3Reply,
  Pop3ReplyReader,
} from '../wire/mail.js';
import { type CodedReply, encodeCommand } from '../wire/replies.js';
import type { Phase } from './model.js';
import { type Now, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import type { MailboxCheck, MemcachedCheck } from './spec-text.js';
import { type Ask, holdTalk, refusal, TALK_OK, type Talk, type TalkEnd } from './talk.js';
import type { TlsClient } from './tls.js';

/**
 * Passes when the server greets, begins TLS and logs in where that is asked for, and says goodbye.
 * Phases: `greeting`, `request` and `tls` (STARTTLS), `login`, `quit`.
 */
export function mailboxProber(now: Now, client: TlsClient): Prober<MailboxCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const { target, tls } = spec;
      switch (spec.type) {
        case 'pop3':
          holdTalk(run, client, { target, tls, talk: pop3(spec), reader: new Pop3ReplyReader() });
          break;
        case 'imap':
          holdTalk(run, client, { target, tls, talk: imap(spec), reader: new ImapReplyReader() });
          break;
        case 'nntp':
          holdTalk(run, client, { target, tls, talk: nntp(spec), reader: new NntpReplyReader() });
          break;
      }
    });
}

/** Passes when the server tells its version. Phases: `request`. */
export function memcachedProber(now: Now, client: TlsClient): Prober<MemcachedCheck> {
  return ({ target }, signal) =>
    runProbe(now, signal, (run) =>
      holdTalk(run, client, {
        target,
        tls: undefined,
        talk: memcached(),
        reader: new MemcachedReplyReader(),
      }),
    );
}

/** RFC 1939; STLS: RFC 2595 4. */
function* pop3({ tls, login }: MailboxCheck): Talk<Pop3Reply> {
  const refused = ({ text }: Pop3Reply): TalkEnd => ({ kind: 'rejected', code: undefined, text });
  const asks: Ask[] = [{ phase: 'greeting' }];
  if (tls?.start === 'starttls') asks.push({ phase: 'request', say: encodeCommand('STLS') });
  const secure = tls?.start === 'starttls' ? { secure: true as const } : {};
  if (login !== undefined) {
    asks.push({ phase: 'login', say: encodeCommand('USER', login.user), ...secure });
    asks.push({ phase: 'login', say: encodeCommand('PASS', login.password) });
  }
  asks.push({ phase: 'quit', say: encodeCommand('QUIT'), ...(login === undefined ? secure : {}) });
  for (const ask of asks) {
    const reply = yield ask;
    if (!reply.isOk) return refused(reply);
  }
  return TALK_OK;
}

/** RFC 9051. */
function* imap({ tls, login }: MailboxCheck): Talk<ImapReply> {
  const greeting = yield { phase: 'greeting' };
  if (greeting.tag !== '*' || !['OK', 'PREAUTH'].includes(greeting.status)) return imapRefusal(greeting);
  const starts = tls?.start === 'starttls';
  if (starts) {
    const reply = yield* tagged('a1', { phase: 'request', say: encodeCommand('a1', 'STARTTLS') });
    if (reply.status !== 'OK') return imapRefusal(reply);
  }
  const secure = starts ? { secure: true as const } : {};
  if (login !== undefined) {
    const words = `LOGIN ${imapQuoted(login.user)} ${imapQuoted(login.password)}`;
    const reply = yield* tagged('a2', { phase: 'login', say: encodeCommand('a2', words), ...secure });
    if (reply.status !== 'OK') return imapRefusal(reply);
  }
  const more = login === undefined ? secure : {};
  const bye = yield* tagged('a3', { phase: 'quit', say: encodeCommand('a3', 'LOGOUT'), ...more });
  return bye.status === 'OK' ? TALK_OK : imapRefusal(bye);
}

/** Waits for the reply that has the tag; a BYE before it is one too, except to LOGOUT, where it belongs. */
function* tagged(tag: string, ask: Ask): Generator<Ask, ImapReply, ImapReply> {
  let reply = yield ask;
  while (reply.tag === '*' && (reply.status !== 'BYE' || ask.phase === 'quit'))
    reply = yield { phase: ask.phase };
  return reply.tag === tag || reply.tag === '*' ? reply : { ...reply, status: 'BAD', tag };
}

function imapRefusal({ status, text }: ImapReply): TalkEnd {
  return { kind: 'rejected', code: undefined, text: `${status} ${text}`.trim() };
}

/** RFC 3977; STARTTLS: RFC 4642; AUTHINFO: RFC 4643. */
function* nntp({ tls, login }: MailboxCheck): Talk<CodedReply> {
  const greeting = yield { phase: 'greeting' };
  // 201: posting is not allowed.
  if (greeting.code !== 200 && greeting.code !== 201) return refusal(greeting);
  let secure = {};
  if (tls?.start === 'starttls') {
    const reply = yield { phase: 'request', say: encodeCommand('STARTTLS') };
    if (reply.code !== 382) return refusal(reply);
    secure = { secure: true };
  }
  if (login !== undefined) {
    const ask = (what: string): Ask => ({ phase: 'login', say: encodeCommand('AUTHINFO', what), ...secure });
    let reply = yield ask(`USER ${login.user}`);
    secure = {};
    if (reply.code === 381) reply = yield ask(`PASS ${login.password}`);
    if (reply.code !== 281) return refusal(reply);
  }
  const phase: Phase = 'quit';
  const reply = yield { phase, say: encodeCommand('QUIT'), ...secure };
  return reply.code === 205 ? TALK_OK : refusal(reply);
}

function* memcached(): Talk<MemcachedReply> {
  const reply = yield { phase: 'request', say: encodeCommand('version') };
  if (reply.kind === 'version') return TALK_OK;
  return { kind: 'rejected', code: undefined, text: reply.text };
}
