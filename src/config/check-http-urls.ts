/** What is asked in http and https checks, and what is wanted of each answer. */
import type { HttpUrl, JsonScalar, StatusRange } from '../checks/spec-web.js';
import {
  type Checked,
  type Context,
  type Cursor,
  entries,
  FAULTY,
  items,
  member,
  report,
  reportKey,
} from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';
import { checkedRegex } from './regex.js';
import { expandSecrets } from './secrets.js';

/** The host is that of the check. */
type Url = Omit<HttpUrl, 'host'>;

function statusRange(context: Context, at: Cursor<number | string>): Checked<StatusRange> {
  if (typeof at.value === 'number') return [at.value, at.value];
  const [low = 0, high = 0] = at.value.split('-').map(Number);
  return low <= high ? [low, high] : report(context, at, `${at.value} ends before it begins`);
}

/** The statuses that are a pass; any 2xx where nothing is said. */
export function statusRanges(context: Context, layers: Layers): Checked<readonly StatusRange[]> {
  const list = pick(layers, 'status');
  if (list === undefined) return [[200, 299]];
  if (list === FAULTY) return FAULTY;
  if (list.value.length === 0) return report(context, list, 'empty; no answer would ever be a pass');
  const ranges: StatusRange[] = [];
  for (const item of items(list)) {
    const range = item === FAULTY ? FAULTY : statusRange(context, item);
    if (range === FAULTY) return FAULTY;
    ranges.push(range);
  }
  return ranges;
}

/** Documents are read as a whole before they are looked at. */
const JSON_LIMIT = 1_048_576;

function matches(context: Context, layers: Layers): Checked<string> | undefined {
  const at = pick(layers, 'matches');
  if (at === undefined || at === FAULTY) return at;
  return checkedRegex(context, at);
}

function fields(context: Context, layers: Layers): Checked<Url['fields']> {
  const given = pick(layers, 'expect-headers');
  if (given === undefined) return [];
  if (given === FAULTY) return FAULTY;
  const all = entries(given);
  // All of them are looked at: an operator reads every fault at once.
  if (all.filter(([, at]) => checkedRegex(context, at) === FAULTY).length > 0) return FAULTY;
  return all.map(([name, { value }]) => [name.toLowerCase(), value] as const);
}

function json(context: Context, layers: Layers, bodyLimit: Checked<number>): Checked<Url['json']> {
  const given = pick(layers, 'json');
  if (given === undefined) return [];
  if (given === FAULTY || bodyLimit === FAULTY) return FAULTY;
  if (bodyLimit > JSON_LIMIT)
    return reportKey(context, given, `with a \`body-limit\` above ${JSON_LIMIT} no document is read`);
  return entries<JsonScalar>(given).map(([pointer, { value }]) => [pointer, value] as const);
}

function body(context: Context, layers: Layers, method: Url['method']): Checked<string> | undefined {
  const at = pick(layers, 'body');
  if (at === undefined || at === FAULTY) return at;
  if (method !== 'POST') return reportKey(context, at, 'only `method: POST` sends a body');
  return expandSecrets(context, at);
}

const OF_THE_BODY = ['contains', 'matches', 'json', 'digest'] as const;

function bodyIsThere(context: Context, layers: Layers, method: Url['method']): boolean {
  if (method !== 'HEAD') return true;
  for (const key of OF_THE_BODY) {
    const at = pick(layers, key);
    if (at === undefined) continue;
    if (at !== FAULTY) report(context, at, 'the answer to HEAD has no body to look into; use `method: GET`');
    return false;
  }
  return true;
}

/** One request, of which each layer may say a part. */
function url(context: Context, layers: Layers, bodyLimit: Checked<number>): Checked<Url> {
  const method = pickValue(layers, 'method', 'GET');
  if (method === FAULTY || !bodyIsThere(context, layers, method)) return FAULTY;
  const path = pickValue(layers, 'path', '/');
  const status = statusRanges(context, layers);
  const text = pick(layers, 'contains');
  const digest = pick(layers, 'digest');
  const sent = body(context, layers, method);
  const heads = fields(context, layers);
  const regex = matches(context, layers);
  const values = json(context, layers, bodyLimit);
  if (path === FAULTY || status === FAULTY || text === FAULTY || digest === FAULTY) return FAULTY;
  if (sent === FAULTY || heads === FAULTY || regex === FAULTY || values === FAULTY) return FAULTY;
  return {
    method,
    path,
    body: sent,
    status,
    fields: heads,
    contains: text?.value,
    matches: regex,
    json: values,
    digest: digest?.value.toLowerCase(),
  };
}

/** All that is asked, in order. Of `path` and `urls` the innermost counts; the rest holds for every url that says nothing. */
export function httpUrls(
  context: Context,
  layers: Layers,
  bodyLimit: Checked<number>,
): Checked<readonly [Url, ...Url[]]> {
  for (const layer of layers) {
    const path = member(layer, 'path');
    const list = member(layer, 'urls');
    if (list === FAULTY || path === FAULTY) return FAULTY;
    if (path !== undefined && list !== undefined)
      return reportKey(context, path, 'each of `urls` has a path of its own; leave this one out');
    if (path !== undefined) break;
    if (list === undefined) continue;
    const all: Url[] = [];
    for (const item of items(list)) {
      const one = item === FAULTY ? FAULTY : url(context, [item, ...layers], bodyLimit);
      if (one === FAULTY) return FAULTY;
      all.push(one);
    }
    const [first, ...further] = all;
    return first === undefined ? report(context, list, 'empty; nothing would be asked') : [first, ...further];
  }
  const only = url(context, layers, bodyLimit);
  return only === FAULTY ? FAULTY : [only];
}
