/** send-expect and udp checks: the steps and the datagram, held against what their notations allow. */
import type { Payload, UdpCheck } from '../checks/spec-datagram.js';
import type { Target } from '../checks/spec-target.js';
import type { DialogueStep, SendExpectCheck } from '../checks/spec-text.js';
import { tlsUse } from './check-tls.js';
import {
  type Checked,
  type Context,
  type Cursor,
  FAULTY,
  items,
  member,
  report,
  reportKey,
} from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';
import { checkedRegex } from './regex.js';
import type { RawCheck } from './schema-checks.js';
import { expandSecrets } from './secrets.js';

type RawStep = NonNullable<RawCheck['steps']>[number];
type StepKey = keyof RawStep & string;

const STEP_KEYS = ['send', 'send-hex', 'expect', 'expect-hex', 'expect-regex'] as const;

function stepOf(context: Context, key: StepKey, at: Cursor<string>): Checked<DialogueStep> {
  switch (key) {
    case 'send': {
      const text = expandSecrets(context, at);
      return text === FAULTY ? FAULTY : { kind: 'send', text };
    }
    case 'send-hex':
      return { kind: 'send-hex', hex: at.value };
    case 'expect':
      return { kind: 'expect', text: at.value };
    case 'expect-hex':
      return { kind: 'expect-hex', pattern: at.value };
    case 'expect-regex': {
      const regex = checkedRegex(context, at);
      return regex === FAULTY ? FAULTY : { kind: 'expect-regex', regex };
    }
  }
}

function step(context: Context, at: Checked<Cursor<RawStep>>): Checked<DialogueStep> {
  if (at === FAULTY) return FAULTY;
  const found: (readonly [StepKey, Cursor<string>])[] = [];
  for (const key of STEP_KEYS) {
    const value = member(at, key);
    if (value === FAULTY) return FAULTY;
    if (value !== undefined) found.push([key, value]);
  }
  const [first, second] = found;
  if (first === undefined) return report(context, at, `empty; a step is one of ${STEP_KEYS.join(', ')}`);
  if (second !== undefined) return reportKey(context, second[1], 'a step does one thing; begin another step');
  return stepOf(context, first[0], first[1]);
}

function steps(context: Context, layers: Layers): Checked<readonly DialogueStep[]> {
  const list = pick(layers, 'steps');
  if (list === FAULTY) return FAULTY;
  const [innermost] = layers;
  if (list === undefined)
    return innermost === undefined
      ? FAULTY
      : report(context, innermost, 'a send-expect check needs `steps`, what is sent and what must come');
  if (list.value.length === 0) return report(context, list, 'empty; say what is sent and what must come');
  const all = items(list).map((item) => step(context, item));
  return all.every((one) => one !== FAULTY) ? all : FAULTY;
}

/** The send-expect check that these layers describe. */
export function sendExpectProbe(
  context: Context,
  layers: Layers,
): Checked<(target: Target) => SendExpectCheck> {
  const list = steps(context, layers);
  const tls = tlsUse(context, layers);
  if (list === FAULTY || tls === FAULTY) return FAULTY;
  if (tls?.start === 'starttls') {
    const at = pick(layers, 'tls');
    return at === undefined || at === FAULTY
      ? FAULTY
      : report(context, at, 'a dialogue of your own words has no STARTTLS; use implicit, or none');
  }
  return (target) => ({ type: 'send-expect', target, steps: list, tls });
}

const DEFAULT_PAYLOAD: Payload = { form: 'text', value: 'lvsentry' };

function payload(context: Context, layers: Layers): Checked<Payload> {
  // Of two layers the inner one counts, whichever form it has.
  for (const layer of layers) {
    const text = member(layer, 'payload');
    const hex = member(layer, 'payload-hex');
    if (text === FAULTY || hex === FAULTY) return FAULTY;
    if (text !== undefined && hex !== undefined)
      return reportKey(context, hex, 'there is `payload` already; keep one');
    if (hex !== undefined) return { form: 'hex', value: hex.value };
    if (text === undefined) continue;
    const value = expandSecrets(context, text);
    return value === FAULTY ? FAULTY : { form: 'text', value };
  }
  return DEFAULT_PAYLOAD;
}

/** The UDP check that these layers describe. */
export function udpProbe(context: Context, layers: Layers): Checked<(target: Target) => UdpCheck> {
  const sent = payload(context, layers);
  const replyRequired = pickValue(layers, 'reply-required', true);
  const pattern = pick(layers, 'reply-pattern');
  if (sent === FAULTY || replyRequired === FAULTY || pattern === FAULTY) return FAULTY;
  const replyPattern = pattern?.value;
  return (target) => ({ type: 'udp', target, payload: sent, replyRequired, replyPattern });
}
