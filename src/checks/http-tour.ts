/** One probe of a web server: its urls one after the other, and where redirects lead, on as few connections as it allows. */
import { encodeRequest } from '../wire/http-request.js';
import { type Expected, expected } from './http-answer.js';
import { headersWith } from './http-headers.js';
import { type Wants, wantsOf } from './http-judge.js';
import { type Asker, type Heard, HttpLink, type Request, type WebLink } from './http-link.js';
import { hostName, isRedirect, redirected, urlText, type Visit } from './http-redirect.js';
import { Http2Link } from './http2-link.js';
import type { ProbeRun } from './probe-run.js';
import type { TlsSettings } from './spec-tls.js';
import type { HttpCheck, HttpUrl } from './spec-web.js';
import type { TlsClient } from './tls.js';

/** One url of a check with all that is the same in every probe. */
interface Stop {
  readonly url: HttpUrl;
  readonly wants: Wants;
  readonly request: Request;
  /** Nothing is asked after it. */
  readonly isLast: boolean;
}

/** What is the same in every probe of a check. */
export interface PreparedTour {
  readonly spec: HttpCheck;
  readonly stops: readonly Stop[];
}

/** @throws MALFORMED for a request that cannot be written */
export function prepareTour(spec: HttpCheck): PreparedTour {
  const urls = [spec, ...spec.further];
  const stops = urls.map((url, index) => {
    const wants = wantsOf(url, spec.bodyLimit);
    const isLast = index === urls.length - 1;
    return { url, wants, isLast, request: requestOf(spec, startOf(spec, url), { wants, isLast }) };
  });
  return { spec, stops };
}

function startOf(spec: HttpCheck, url: HttpUrl): Visit {
  return { secure: spec.type === 'https', port: spec.target.port, url, trusted: true };
}

function requestOf(
  spec: HttpCheck,
  visit: Visit,
  { wants, isLast }: Pick<Stop, 'wants' | 'isLast'>,
): Request {
  const { url, trusted } = visit;
  const { method, path, host } = url;
  const isOnly = isLast && spec.redirects === 0;
  const body = url.body === undefined ? undefined : Buffer.from(url.body, 'utf8');
  const headers = headersWith(spec, trusted);
  const head = encodeRequest({
    version: spec.version === '1.0' ? '1.0' : '1.1',
    method,
    path,
    host,
    headers,
    bodyLength: body?.length,
    keepsConnection: spec.version === '1.1' && !isOnly,
  });
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
  const wanted: Expected = expected(method, wants, isOnly);
  return { visit, headers, body, bytes, expected: wanted };
}

export class Tour implements Asker {
  readonly #run: ProbeRun;
  readonly #client: TlsClient;
  readonly #prepared: PreparedTour;
  #index = 0;
  /** Redirects that were followed for the url that is asked now. */
  #hops = 0;
  #visit: Visit;
  #link: WebLink | undefined;
  /** Where the link goes. */
  #place: string | undefined;

  constructor(run: ProbeRun, client: TlsClient, prepared: PreparedTour) {
    this.#run = run;
    this.#client = client;
    this.#prepared = prepared;
    this.#visit = startOf(prepared.spec, prepared.spec);
  }

  begin(): void {
    this.#go(this.#visit);
  }

  onHeard(heard: Heard): void {
    const redirect = this.#redirect(heard);
    if (redirect === undefined && (heard.reason.kind !== 'ok' || this.#stop?.isLast === true))
      this.#finish(heard);
    else if (heard.endsSoon) return;
    else if (redirect !== undefined) this.#follow(redirect);
    else this.#next();
  }

  onStale(): void {
    this.#link?.close();
    this.#link = undefined;
    this.#go(this.#visit);
  }

  get #stop(): Stop | undefined {
    return this.#prepared.stops[this.#index];
  }

  /** Where the answer sends us, if we go there. A status that is wanted is an answer, and no redirect. */
  #redirect({ reason, status, location }: Heard): Visit | undefined {
    const { spec } = this.#prepared;
    if (reason.kind !== 'bad-status' || status === undefined || !isRedirect(status)) return undefined;
    if (location === undefined || this.#hops >= spec.redirects) return undefined;
    return redirected(this.#visit, status, location);
  }

  #finish({ reason }: Heard): void {
    // A pass after several urls was everywhere; what is worth telling is where a redirect has led.
    if (reason.kind === 'ok' && this.#hops === 0) this.#run.locate(undefined);
    this.#run.end(reason);
  }

  #follow(visit: Visit): void {
    this.#hops += 1;
    this.#run.locate(urlText(visit));
    this.#go(visit);
  }

  #next(): void {
    this.#index += 1;
    this.#hops = 0;
    const url = this.#stop?.url;
    if (url !== undefined) this.#go(startOf(this.#prepared.spec, url));
  }

  #go(visit: Visit): void {
    const stop = this.#stop;
    if (stop === undefined) return;
    const { spec, stops } = this.#prepared;
    this.#visit = visit;
    if (this.#hops === 0 && stops.length > 1) this.#run.locate(visit.url.path);
    const request = this.#hops === 0 ? stop.request : requestOf(spec, visit, stop);
    // Whether a connection is closed is known only when it is used: what must not be said twice gets a new one.
    if (this.#place === placeOf(spec, visit) && this.#link?.isFree === true && visit.url.method !== 'POST')
      this.#link.ask(request);
    else this.#open(visit, request);
  }

  #open(visit: Visit, request: Request): void {
    this.#link?.close();
    const { spec } = this.#prepared;
    const Link = spec.version === '2' ? Http2Link : HttpLink;
    const link = new Link(this.#run, this, request);
    const target = { ...spec.target, port: visit.port };
    this.#link = link;
    this.#place = placeOf(spec, visit);
    this.#run.enter('connect');
    if (visit.secure) this.#client.open(this.#run, target, tlsOf(spec, visit), link);
    else this.#run.openTcp(target, link);
  }
}

/** An http check that is sent to https has no settings of its own: the system's authorities must vouch for the name. */
const DEFAULT_TLS: TlsSettings = {
  serverName: undefined,
  verify: true,
  authorities: undefined,
  client: undefined,
  expiresWithin: undefined,
  alpn: [],
};

/** What a connection is made for: with TLS not only to a port, but to a name. */
function placeOf(spec: HttpCheck, visit: Visit): string {
  return visit.secure ? `https ${visit.port} ${tlsOf(spec, visit).serverName ?? ''}` : `http ${visit.port}`;
}

function tlsOf(spec: HttpCheck, { url }: Visit): TlsSettings {
  const base = spec.tls ?? { ...DEFAULT_TLS, alpn: [spec.version === '2' ? 'h2' : 'http/1.1'] };
  const name = hostName(url.host);
  const isOwn = spec.tls !== undefined && name === hostName(spec.host);
  return isOwn ? base : { ...base, serverName: name };
}
