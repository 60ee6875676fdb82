/** SMTP check: a greeting, EHLO, TLS where it is asked for, and a goodbye. */
import { type CodedReply, encodeCommand } from '../wire/replies.js';
import { SmtpReplyReader } from '../wire/smtp.js';
import type { Now } from './probe-run.js';
import { runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import type { SmtpCheck } from './spec-text.js';
import { holdTalk, refusal, TALK_OK, type Talk } from './talk.js';
import type { TlsClient } from './tls.js';

/** RFC 5321 3.2: 500 and 502 are what a server says that knows no EHLO; it is asked again in the old way. */
const EHLO_UNKNOWN = new Set([500, 502]);

/**
 * Passes when the server greets with 220, takes EHLO (or HELO), begins TLS where that is asked for and takes EHLO
 * again, and says goodbye with 221. No mail is begun.
 * Phases: `greeting`, `request` (EHLO, STARTTLS), `tls`, `request`, `quit`.
 */
export function smtpProber(now: Now, client: TlsClient): Prober<SmtpCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const { target, tls } = spec;
      holdTalk(run, client, { target, tls, talk: talk(spec), reader: new SmtpReplyReader() });
    });
}

function* talk({ hello, tls }: SmtpCheck): Talk<CodedReply> {
  const ehlo = encodeCommand('EHLO', hello);
  const greeting = yield { phase: 'greeting' };
  if (greeting.code !== 220) return refusal(greeting);
  let reply = yield { phase: 'request', say: ehlo };
  if (tls === undefined && EHLO_UNKNOWN.has(reply.code))
    reply = yield { phase: 'request', say: encodeCommand('HELO', hello) };
  if (reply.code !== 250) return refusal(reply);
  if (tls?.start === 'starttls') {
    reply = yield { phase: 'request', say: encodeCommand('STARTTLS') };
    if (reply.code !== 220) return refusal(reply);
    reply = yield { phase: 'request', say: ehlo, secure: true };
    if (reply.code !== 250) return refusal(reply);
  }
  reply = yield { phase: 'quit', say: encodeCommand('QUIT') };
  return reply.code === 221 ? TALK_OK : refusal(reply);
}
