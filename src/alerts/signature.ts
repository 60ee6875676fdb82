/** The signature of a webhook: docs/alerts.md tells receivers how to check it. */
import { createHmac } from 'node:crypto';
import type { AlertMessage } from './policy.js';

/**
 * The headers that identify and sign a message.
 * The signature covers the time of sending too, so that an old message cannot be played again later.
 * @param timestamp of this attempt, whole seconds since 1970
 */
export function signatureHeaders(
  message: AlertMessage,
  secret: string | undefined,
  timestamp: number,
): Record<string, string> {
  const headers: Record<string, string> = {
    'lvsentry-event-id': message.id,
    'lvsentry-timestamp': String(timestamp),
  };
  if (secret !== undefined) {
    const digest = createHmac('sha256', secret).update(`${timestamp}.${message.body}`, 'utf8').digest('hex');
    headers['lvsentry-signature'] = `v1=${digest}`;
  }
  return headers;
}
