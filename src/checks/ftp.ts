/** FTP check: a login and, if asked for, a file. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { unreachable } from '../core/assert.js';
import { ipFamily } from '../core/ip.js';
import { FtpReplyReader, parseExtendedPassivePort, parsePassivePort } from '../wire/ftp.js';
import { type CodedReply, encodeCommand } from '../wire/replies.js';
import type { FtpCheck, Phase } from './model.js';
import { type LinkHandlers, type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { TlsUse } from './spec-tls.js';
import { reasonOfFault } from './talk.js';
import type { TlsClient } from './tls.js';

/** A file to be read by a probe is small; one that is larger than this is refused. */
const FILE_LIMIT = 1024 * 1024;

/** What the dialogue waits for. */
type Step =
  | 'greeting'
  | 'auth'
  | 'user'
  | 'password'
  | 'type'
  | 'size'
  | 'buffer-size'
  | 'protection'
  | 'passive'
  | 'data-connection'
  | 'retrieve'
  | 'transfer'
  | 'quit';

/**
 * Passes when the server greets, logs the user in, has the file (`spec.file`) and says goodbye.
 * With `spec.tls` the login and the file go over TLS (RFC 4217: AUTH TLS, PROT P).
 * Phases: `greeting`, `login`, `request` (up to SIZE or PASV), `data` (RETR, to the end of the file), `quit`.
 */
export function ftpProber(now: Now, client: TlsClient): Prober<FtpCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const dialogue = new Dialogue(run, client, spec);
      if (spec.tls?.start === 'implicit') client.open(run, spec.target, spec.tls, dialogue);
      else run.openTcp(spec.target, dialogue);
    });
}

/** The control connection; the data connection, where there is one, is opened from here. */
class Dialogue implements LinkHandlers {
  readonly #run: ProbeRun;
  readonly #spec: FtpCheck;
  readonly #replies = new FtpReplyReader();
  readonly #user: string;
  readonly #password: string;
  readonly #file: string;
  readonly #client: TlsClient;
  #control: Socket | undefined;
  /** What lets the data connection go on with the session of the control connection, as servers want it. */
  #session: Buffer | undefined;
  #step: Step = 'greeting';
  /** The data connection has ended. */
  #dataEnded = false;
  /** The server has said that the transfer is complete. */
  #transferred = false;
  #fileLength = 0;

  constructor(run: ProbeRun, client: TlsClient, spec: FtpCheck) {
    this.#run = run;
    this.#client = client;
    this.#spec = spec;
    // Before anything is sent: a value that cannot be sent is refused as a whole.
    this.#user = encodeCommand('USER', spec.user);
    this.#password = encodeCommand('PASS', spec.password);
    this.#file = encodeCommand(spec.fileBy === 'size' ? 'SIZE' : 'RETR', spec.file ?? '');
  }

  open(socket: Socket): void {
    this.#control = socket;
    if (socket instanceof TLSSocket) this.#rememberSession(socket);
    if (this.#step === 'auth') this.#send('user', 'login', this.#user);
    else this.#run.enter('greeting');
  }

  data(bytes: Uint8Array): void {
    this.#replies.push(bytes);
    for (let reply = this.#replies.next(); reply !== undefined; reply = this.#replies.next()) {
      this.#onReply(reply);
      if (this.#run.ended) return;
    }
    const { fault } = this.#replies;
    if (fault !== undefined) this.#run.end(reasonOfFault(fault, this.#run.phase));
  }

  end(): void {
    this.#run.end({ kind: 'closed', phase: this.#run.phase });
  }

  #onReply(reply: CodedReply): void {
    switch (this.#step) {
      case 'greeting':
        // 120: ready in some minutes; the greeting proper is still to come.
        if (reply.code === 220) this.#onGreeting();
        else if (reply.code !== 120) this.#refuse(reply);
        break;
      case 'auth':
        this.#expect(reply, 234, () => this.#secure());
        break;
      case 'user':
        if (reply.code === 331) this.#send('password', 'login', this.#password);
        else this.#expect(reply, 230, () => this.#onLogin());
        break;
      case 'password':
        // 202: no password was needed.
        this.#expect(reply, reply.code === 202 ? 202 : 230, () => this.#onLogin());
        break;
      case 'type':
        this.#expect(reply, 200, () => this.#askForFile());
        break;
      case 'size':
        this.#expect(reply, 213, () => this.#quit());
        break;
      case 'buffer-size':
        this.#expect(reply, 200, () => this.#send('protection', 'request', encodeCommand('PROT', 'P')));
        break;
      case 'protection':
        this.#expect(reply, 200, () => this.#askForPort());
        break;
      case 'passive':
        this.#expect(reply, this.#isIpv6() ? 229 : 227, () => this.#openData(reply));
        break;
      case 'data-connection':
        this.#refuse(reply);
        break;
      case 'retrieve':
        this.#expect(reply, reply.code === 125 ? 125 : 150, () => {
          this.#step = 'transfer';
        });
        break;
      case 'transfer':
        this.#expect(reply, reply.code === 250 ? 250 : 226, () => {
          this.#transferred = true;
          this.#onTransfer();
        });
        break;
      case 'quit':
        this.#expect(reply, 221, () => this.#run.end({ kind: 'ok' }));
        break;
      default:
        unreachable(this.#step);
    }
  }

  #expect(reply: CodedReply, code: number, proceed: () => void): void {
    if (reply.code === code) proceed();
    else this.#refuse(reply);
  }

  /** RFC 959 4.2.1: 4yz and 5yz refuse; any other reply does not belong here. */
  #refuse({ code, text }: CodedReply): void {
    const { phase } = this.#run;
    if (code >= 400) this.#run.end({ kind: 'rejected', phase, code, detail: printable(text) });
    else
      this.#run.end({ kind: 'protocol-error', phase, detail: printable(`unexpected reply ${code} ${text}`) });
  }

  #send(step: Step, phase: Phase, command: string): void {
    this.#step = step;
    this.#run.enter(phase);
    this.#control?.write(command);
  }

  /** With TLS 1.3 it comes after the handshake. */
  #rememberSession(socket: TLSSocket): void {
    this.#session = socket.getSession();
    socket.on('session', (session: Buffer) => {
      this.#session = session;
    });
  }

  #onGreeting(): void {
    if (this.#spec.tls?.start === 'starttls') this.#send('auth', 'request', encodeCommand('AUTH', 'TLS'));
    else this.#send('user', 'login', this.#user);
  }

  /** `open` is called again when TLS stands. */
  #secure(): void {
    const { target, tls } = this.#spec;
    if (this.#control === undefined || tls === undefined) return;
    const link = { socket: this.#control, hasUnread: this.#replies.hasUnread };
    this.#client.upgrade(this.#run, { link, target, settings: tls }, this);
  }

  #onLogin(): void {
    // Servers refuse SIZE in the default type, ASCII (RFC 3659 4.1).
    if (this.#spec.file === undefined) this.#quit();
    else this.#send('type', 'request', encodeCommand('TYPE', 'I'));
  }

  #askForFile(): void {
    if (this.#spec.fileBy === 'size') this.#send('size', 'request', this.#file);
    else if (this.#spec.tls === undefined) this.#askForPort();
    // RFC 4217 9: the protection of data is asked for after a buffer size, which is 0 for TLS.
    else this.#send('buffer-size', 'request', encodeCommand('PBSZ', '0'));
  }

  #askForPort(): void {
    this.#send('passive', 'request', encodeCommand(this.#isIpv6() ? 'EPSV' : 'PASV'));
  }

  /** To the address that is being probed, whatever the reply names: no server sends our probe elsewhere. */
  #openData({ text }: CodedReply): void {
    const port = this.#isIpv6() ? parseExtendedPassivePort(text) : parsePassivePort(text);
    const { phase } = this.#run;
    if (port === undefined) {
      this.#run.end({ kind: 'protocol-error', phase, detail: printable(`no port in ${text}`) });
      return;
    }
    this.#step = 'data-connection';
    this.#run.enter('data');
    const target = { ...this.#spec.target, port };
    const data = {
      open: () => undefined,
      data: (bytes: Uint8Array) => this.#onData(bytes.length),
      end: () => {
        this.#dataEnded = true;
        this.#onTransfer();
      },
    };
    const open = (socket: Socket): void => {
      this.#send('retrieve', 'data', this.#file);
      if (this.#spec.tls !== undefined) this.#secureData(socket, this.#spec.tls, data);
    };
    this.#run.openTcp(target, { ...data, open });
  }

  /** The server begins its part of the handshake when it has read RETR. */
  #secureData(socket: Socket, settings: TlsUse, data: LinkHandlers): void {
    const link = { socket, hasUnread: false };
    const { target } = this.#spec;
    // The certificate was looked at when the control connection began.
    const resuming = { ...settings, expiresWithin: undefined };
    const session = this.#session === undefined ? {} : { session: this.#session };
    // The server says that it is done when it has heard that we have the end too (close_notify, RFC 8446 6.1).
    let secured: Socket | undefined;
    const handlers: LinkHandlers = {
      open: (over) => {
        secured = over;
      },
      data: (bytes) => data.data(bytes),
      end: () => {
        secured?.end();
        data.end();
      },
    };
    this.#client.upgrade(this.#run, { link, target, settings: resuming, ...session }, handlers);
    this.#run.enter('data');
  }

  #onData(length: number): void {
    this.#fileLength += length;
    if (this.#fileLength > FILE_LIMIT)
      this.#run.end({ kind: 'too-long', phase: this.#run.phase, limit: FILE_LIMIT });
  }

  /** The end of the data and the reply that it was all come in either order. */
  #onTransfer(): void {
    if (this.#dataEnded && this.#transferred) this.#quit();
  }

  #quit(): void {
    this.#send('quit', 'quit', encodeCommand('QUIT'));
  }

  #isIpv6(): boolean {
    return ipFamily(this.#spec.target.address) === 'ipv6';
  }
}
