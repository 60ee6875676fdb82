/** The table of check kinds: a new kind is a file, a row here, a test and a row in the documentation. */
import type { Clock, OpenPacketSocket } from '../core/ports.js';
import { agentProber } from './agent.js';
import { dnsProber } from './dns.js';
import { execProber, type RunProgram } from './exec.js';
import { fileProber } from './file.js';
import { ftpProber } from './ftp.js';
import { grpcProber } from './grpc.js';
import { httpPlan, httpProber } from './http.js';
import type { LanePlan } from './lane.js';
import { ldapProber } from './ldap.js';
import { mailboxProber, memcachedProber } from './mail.js';
import type { CheckType, ProbeResult, ProbeSpec } from './model.js';
import { mqttProber } from './mqtt.js';
import { mysqlProber } from './mysql.js';
import { ntpProber } from './ntp.js';
import { pingProber } from './ping.js';
import { postgresProber } from './postgres.js';
import type { Prober } from './prober.js';
import { radiusProber } from './radius.js';
import { redisProber } from './redis.js';
import { sendExpectProber } from './send-expect.js';
import { sipProber } from './sip.js';
import { smtpProber } from './smtp.js';
import { tcpProber } from './tcp.js';
import { TlsClient } from './tls.js';
import { tlsProber } from './tls-handshake.js';
import { udpProber } from './udp.js';
import { webSocketProber } from './websocket.js';

/** For each type its prober. */
export type Probers = {
  readonly [Type in CheckType]: Prober<Extract<ProbeSpec, { readonly type: Type }>>;
};

/** What is outside the probers. */
export interface ProberPorts {
  readonly clock: Clock;
  readonly openSocket: OpenPacketSocket;
  readonly run: RunProgram;
}

/** All probers of a thread, on one clock and with one set of TLS credentials. */
export function allProbers({ clock, openSocket, run }: ProberPorts): Probers {
  const now = () => clock.monotonic();
  const tls = new TlsClient(clock);
  const http = httpProber(now, tls);
  const mailbox = mailboxProber(now, tls);
  return {
    tcp: tcpProber(now),
    ping: pingProber(now, openSocket),
    'send-expect': sendExpectProber(now, tls),
    udp: udpProber(now),
    http,
    https: http,
    grpc: grpcProber(now, tls),
    websocket: webSocketProber(now, tls),
    ftp: ftpProber(now, tls),
    smtp: smtpProber(now, tls),
    pop3: mailbox,
    imap: mailbox,
    nntp: mailbox,
    memcached: memcachedProber(now, tls),
    tls: tlsProber(now, tls),
    dns: dnsProber(now),
    ntp: ntpProber(now),
    sip: sipProber(now),
    redis: redisProber(now, tls),
    mysql: mysqlProber(now, tls),
    postgres: postgresProber(now, tls),
    ldap: ldapProber(now, tls),
    agent: agentProber(now),
    exec: execProber({ clock, run }),
    file: fileProber(clock),
    radius: radiusProber(now),
    mqtt: mqttProber(now, tls),
  };
}

const CONNECT_ONLY: LanePlan = { payload: new Uint8Array(0), waits: 'connect', talk: undefined };

/** How the fast lane runs a probe; undefined for kinds that it does not know. */
export function lanePlanOf(spec: ProbeSpec): LanePlan | undefined {
  switch (spec.type) {
    case 'tcp':
      return CONNECT_ONLY;
    case 'http':
      return httpPlan(spec);
    default:
      return undefined;
  }
}

/** Runs one probe by the prober of its type. */
export function probeByType(probers: Probers, spec: ProbeSpec, signal: AbortSignal): Promise<ProbeResult> {
  // The table pairs each type with its own spec; TypeScript cannot follow that through an index.
  const prober = probers[spec.type] as Prober<ProbeSpec>;
  return prober(spec, signal);
}
