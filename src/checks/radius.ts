/** RADIUS check: a login by password, or Status-Server. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import {
  encodeRadiusRequest,
  type RadiusHashes,
  type RadiusReply,
  type RadiusRequest,
  readRadiusReply,
} from '../wire/radius.js';
import type { Reason } from './model.js';
import { type Now, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { bytesText, printable } from './reason.js';
import type { RadiusCheck } from './spec-radius.js';

const HASHES: RadiusHashes = {
  md5: (...parts) => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest();
  },
  hmacMd5: (key, bytes) => createHmac('md5', key).update(bytes).digest(),
};

const NAS = Buffer.from('lvsentry');
const [ACCEPT, REJECT, ACCOUNTING_RESPONSE, CHALLENGE] = [2, 3, 5, 11];

/**
 * Passes with Access-Accept, where asked with Access-Reject and Access-Challenge too; with Status-Server, on an
 * accounting port, also with Accounting-Response. A reply must be signed with the secret; those to other requests are
 * not heard. Phases: `request`, `response`.
 */
export function radiusProber(now: Now): Prober<RadiusCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const request = requestOf(spec);
      run.openUdp(spec.target, {
        open: (socket) => {
          run.enter('request');
          run.send(socket, encodeRadiusRequest(request, HASHES));
          run.enter('response');
        },
        data: (bytes) => {
          const sense = readRadiusReply(bytes, request, HASHES);
          if (sense.kind === 'reply') run.end(judge(sense, spec));
          else if (sense.kind === 'wrong') {
            const detail = `${sense.detail}: message ${bytesText(bytes)}`;
            run.end({ kind: 'protocol-error', phase: 'response', detail });
          }
        },
      });
    });
}

function requestOf({ secret, login }: RadiusCheck): RadiusRequest {
  const [id = 0, ...authenticator] = randomBytes(17);
  return {
    id,
    authenticator: Uint8Array.from(authenticator),
    secret: Buffer.from(secret),
    login: login && { user: Buffer.from(login.user), password: Buffer.from(login.password), nas: NAS },
  };
}

function judge({ code, message }: RadiusReply, { login, rejectPasses }: RadiusCheck): Reason {
  const phase = 'response';
  if (code === ACCEPT || (code === ACCOUNTING_RESPONSE && login === undefined)) return { kind: 'ok' };
  if (code !== REJECT && code !== CHALLENGE)
    return { kind: 'protocol-error', phase, detail: `a RADIUS packet of code ${code}` };
  if (rejectPasses) return { kind: 'ok' };
  const name = code === REJECT ? 'Access-Reject' : 'Access-Challenge';
  const words = Buffer.from(message).toString('utf8');
  return { kind: 'rejected', phase, code, detail: printable(words === '' ? name : `${name}: ${words}`) };
}
