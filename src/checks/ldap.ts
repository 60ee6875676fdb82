/** LDAP check: a bind, and a search where asked. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { endpointText } from '../core/ip.js';
import { type DriverStream, probeByDriver } from './driver.js';
import { LIBRARIES } from './libraries.js';
import type { Reason } from './model.js';
import type { Now, ProbeRun } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { LdapCheck, LdapSearch } from './spec-directory.js';
import type { TlsClient } from './tls.js';

type Library = Pick<typeof import('ldapts'), 'Client' | 'FilterParser' | 'ResultCodeError'>;

/** RFC 4511 4.1.10: what it must not be is not found. */
const NO_SUCH_OBJECT = 32;

/**
 * Passes when the server lets us in (RFC 4513 5.1) and the search finds enough.
 * Phases: `request` and `tls` (StartTLS), `login`, `request`.
 */
export function ldapProber(now: Now, client: TlsClient): Prober<LdapCheck> {
  return (spec, signal) => {
    let codes: Library['ResultCodeError'] | undefined;
    return probeByDriver({ now, client }, signal, {
      target: spec.target,
      tls: spec.tls,
      load: async () => {
        const library = await LIBRARIES.ldap();
        codes = library.ResultCodeError;
        return library;
      },
      talk: (library, stream, run) => talk(library, stream, run, spec),
      rejection: (thrown, { phase }) =>
        codes !== undefined && thrown instanceof codes
          ? { kind: 'rejected', phase, code: thrown.code, detail: printable(thrown.message) }
          : undefined,
    });
  };
}

async function talk(
  library: Library,
  stream: DriverStream,
  run: ProbeRun,
  { target, tls, login, search }: LdapCheck,
): Promise<Reason> {
  if (search !== undefined && !isFilter(library, search.filter))
    return { kind: 'local', phase: run.phase, errno: 'filter' };
  const client = new library.Client({
    url: `ldap://${endpointText(target.address, target.port)}`,
    // It asks nothing of a socket that the stream has not.
    createConnection: () => stream.connect() as unknown as Socket,
    createSecureConnection: () => {
      void stream.secure().then(() => stream.emit('secureConnect'));
      return stream as unknown as TLSSocket;
    },
  });
  if (tls?.start === 'starttls') {
    run.enter('request');
    await client.startTLS();
  }
  run.enter('login');
  await client.bind(login?.user ?? '', login?.password ?? '');
  if (search === undefined) return { kind: 'ok' };
  run.enter('request');
  const { base, scope, filter, entriesMin } = search;
  // No more than is needed, and none of what stands in it.
  const options = { scope, filter, sizeLimit: entriesMin, attributes: ['1.1'] };
  const found = await client.search(base, options).catch((thrown: unknown) => {
    if (thrown instanceof library.ResultCodeError && thrown.code === NO_SUCH_OBJECT)
      return { searchEntries: [] };
    throw thrown;
  });
  return judge(run, search, found.searchEntries.length);
}

function isFilter({ FilterParser }: Library, filter: string): boolean {
  try {
    FilterParser.parseString(filter);
    return true;
  } catch {
    return false;
  }
}

function judge({ phase }: ProbeRun, { base, entriesMin }: LdapSearch, count: number): Reason {
  if (count >= entriesMin) return { kind: 'ok' };
  const what = `${count} of ${entriesMin} entries at ${printable(base, 50)}`;
  return { kind: 'bad-content', phase, detail: what };
}
