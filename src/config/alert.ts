import type { AlertRule, EventKind, WebhookTarget } from '../alerts/model.js';
import { type Millis, parseDuration } from '../core/units.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read, report } from './cursor.js';
import type { RawAlert } from './schema.js';
import { expandSecrets } from './secrets.js';

const DEFAULT_KINDS: readonly EventKind[] = ['server-down', 'server-up', 'service-lost', 'service-recovered'];

const URL_PATTERN = /^https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(?:[/?][\x21-\x7e]*)?$/;

/** The fault never shows the URL: it may hold a token. */
function webhookUrl(context: Context, at: Cursor<string>): Checked<string> {
  const url = expandSecrets(context, at);
  if (url === FAULTY) return FAULTY;
  const match = URL_PATTERN.exec(url);
  const port = Number(match?.[1] ?? 80);
  if (match !== null && port > 0 && port <= 65_535) return url;
  return report(
    context,
    at,
    'not a URL such as https://alerts.example.org/lvs (http or https, no user name)',
  );
}

function webhookOf(context: Context, at: Cursor<RawAlert>): Checked<WebhookTarget> {
  const webhook = member(at, 'webhook');
  if (webhook === undefined || webhook === FAULTY) return FAULTY;
  const url = member(webhook, 'url');
  const secret = member(webhook, 'secret');
  if (url === undefined || url === FAULTY || secret === FAULTY) return FAULTY;
  const target = webhookUrl(context, url);
  const key = secret === undefined ? undefined : expandSecrets(context, secret);
  return target === FAULTY || key === FAULTY ? FAULTY : { url: target, secret: key };
}

function kindsOf(context: Context, at: Cursor<RawAlert>): Checked<ReadonlySet<EventKind>> {
  const list = member(at, 'on');
  if (list === undefined) return new Set(DEFAULT_KINDS);
  if (list === FAULTY) return FAULTY;
  if (list.value.length === 0) return report(context, list, 'empty; name the events, or leave `on` out');
  return items(list).includes(FAULTY) ? FAULTY : new Set(list.value);
}

const DEFAULT_TIMEOUT = '5s';
const DEFAULT_RETRIES = 5;

/** Completes one entry of `alerts`. */
export function completeAlert(context: Context, name: string, at: Cursor<RawAlert>): Checked<AlertRule> {
  const webhook = webhookOf(context, at);
  const on = kindsOf(context, at);
  const timeout = read(at, 'timeout', DEFAULT_TIMEOUT);
  const retries = read(at, 'retries', DEFAULT_RETRIES);
  if (webhook === FAULTY || on === FAULTY || timeout === FAULTY || retries === FAULTY) return FAULTY;
  return { name, webhook, on, timeout: parseDuration(timeout) as Millis, retries };
}
