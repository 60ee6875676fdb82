/** Completes `api:`. */
import { type Checked, type Context, type Cursor, entries, FAULTY, member, report } from './cursor.js';
import { parseListen } from './endpoint.js';
import type { ApiConfig, ApiToken, Listen } from './model.js';
import type { RawApi, RawApiToken } from './schema-api.js';
import { expandSecrets } from './secrets.js';

const DEFAULT_LISTEN: Listen = { kind: 'tcp', host: '127.0.0.1', port: 8405 };
/** Shorter ones can be guessed. */
const TOKEN_LENGTH_MIN = 16;

function listenOf(context: Context, at: Checked<Cursor<string>> | undefined): Listen {
  if (at === undefined || at === FAULTY) return DEFAULT_LISTEN;
  const parsed = parseListen(at.value);
  if (parsed.ok) return parsed.value;
  report(context, at, parsed.problem);
  return DEFAULT_LISTEN;
}

/** The fault never shows the token. */
function tokenOf(context: Context, name: string, at: Cursor<RawApiToken>): Checked<ApiToken> {
  const given = member(at, 'token');
  if (given === undefined || given === FAULTY) return FAULTY;
  const token = expandSecrets(context, given);
  if (token === FAULTY) return FAULTY;
  if (token.length < TOKEN_LENGTH_MIN || !/^[\x21-\x7e]+$/.test(token))
    return report(
      context,
      given,
      `not a token: it has ${TOKEN_LENGTH_MIN} characters or more, and no blanks`,
    );
  return { name, token };
}

function tokensOf(
  context: Context,
  at: Checked<Cursor<Readonly<Record<string, RawApiToken>>>> | undefined,
): readonly ApiToken[] {
  if (at === undefined || at === FAULTY) return [];
  const tokens: ApiToken[] = [];
  for (const [name, cursor] of entries<RawApiToken>(at)) {
    const its = tokenOf(context, name, cursor);
    if (its === FAULTY) continue;
    const same = tokens.find(({ token }) => token === its.token);
    if (same === undefined) tokens.push(its);
    else report(context, cursor, `the same token as that of ${same.name}`);
  }
  return tokens;
}

/** Where the API listens, and who may write. */
export function completeApi(context: Context, at: Checked<Cursor<RawApi>> | undefined): ApiConfig {
  if (at === undefined || at === FAULTY) return { listen: DEFAULT_LISTEN, tokens: [] };
  return { listen: listenOf(context, member(at, 'listen')), tokens: tokensOf(context, member(at, 'tokens')) };
}
