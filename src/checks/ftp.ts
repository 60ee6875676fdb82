/** FTP check: a login and, if asked for, a file. */
import type { Socket } from 'node:net';
import { unreachable } from '../core/assert.js';
import { ipFamily } from '../core/ip.js';
import {
  encodeFtpCommand,
  type FtpFault,
  type FtpReply,
  FtpReplyReader,
  parseExtendedPassivePort,
  parsePassivePort,
} from '../wire/ftp.js';
import type { FtpCheck, Phase, Reason } from './model.js';
import { type LinkHandlers, type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';

/** A file to be read by a probe is small; one that is larger than this is refused. */
const FILE_LIMIT = 1024 * 1024;

/** What the dialogue waits for. */
type Step =
  | 'greeting'
  | 'user'
  | 'password'
  | 'type'
  | 'size'
  | 'passive'
  | 'data-connection'
  | 'retrieve'
  | 'transfer'
  | 'quit';

/**
 * Passes when the server greets, logs the user in, has the file (`spec.file`) and says goodbye.
 * Phases: `greeting`, `login`, `request` (up to SIZE or PASV), `data` (RETR, to the end of the file), `quit`.
 */
export function ftpProber(now: Now): Prober<FtpCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const dialogue = new Dialogue(run, spec);
      run.openTcp(spec.target, dialogue);
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
  #control: Socket | undefined;
  #step: Step = 'greeting';
  /** The data connection has ended. */
  #dataEnded = false;
  /** The server has said that the transfer is complete. */
  #transferred = false;
  #fileLength = 0;

  constructor(run: ProbeRun, spec: FtpCheck) {
    this.#run = run;
    this.#spec = spec;
    // Before anything is sent: a value that cannot be sent is refused as a whole.
    this.#user = encodeFtpCommand('USER', spec.user);
    this.#password = encodeFtpCommand('PASS', spec.password);
    this.#file = encodeFtpCommand(spec.fileBy === 'size' ? 'SIZE' : 'RETR', spec.file ?? '');
  }

  open(socket: Socket): void {
    this.#control = socket;
    this.#run.enter('greeting');
  }

  data(bytes: Uint8Array): void {
    this.#replies.push(bytes);
    for (let reply = this.#replies.next(); reply !== undefined; reply = this.#replies.next())
      this.#onReply(reply);
    const { fault } = this.#replies;
    if (fault !== undefined) this.#run.end(reasonOfFault(fault, this.#run.phase));
  }

  end(): void {
    this.#run.end({ kind: 'closed', phase: this.#run.phase });
  }

  #onReply(reply: FtpReply): void {
    switch (this.#step) {
      case 'greeting':
        // 120: ready in some minutes; the greeting proper is still to come.
        if (reply.code === 220) this.#send('user', 'login', this.#user);
        else if (reply.code !== 120) this.#refuse(reply);
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

  #expect(reply: FtpReply, code: number, proceed: () => void): void {
    if (reply.code === code) proceed();
    else this.#refuse(reply);
  }

  /** RFC 959 4.2.1: 4yz and 5yz refuse; any other reply does not belong here. */
  #refuse({ code, text }: FtpReply): void {
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

  #onLogin(): void {
    // Servers refuse SIZE in the default type, ASCII (RFC 3659 4.1).
    if (this.#spec.file === undefined) this.#quit();
    else this.#send('type', 'request', encodeFtpCommand('TYPE', 'I'));
  }

  #askForFile(): void {
    if (this.#spec.fileBy === 'size') this.#send('size', 'request', this.#file);
    else this.#send('passive', 'request', encodeFtpCommand(this.#isIpv6() ? 'EPSV' : 'PASV'));
  }

  /** To the address that is being probed, whatever the reply names: no server sends our probe elsewhere. */
  #openData({ text }: FtpReply): void {
    const port = this.#isIpv6() ? parseExtendedPassivePort(text) : parsePassivePort(text);
    const { phase } = this.#run;
    if (port === undefined) {
      this.#run.end({ kind: 'protocol-error', phase, detail: printable(`no port in ${text}`) });
      return;
    }
    this.#step = 'data-connection';
    this.#run.enter('data');
    const target = { address: this.#spec.target.address, port };
    this.#run.openTcp(target, {
      open: () => this.#send('retrieve', 'data', this.#file),
      data: (bytes) => this.#onData(bytes.length),
      end: () => {
        this.#dataEnded = true;
        this.#onTransfer();
      },
    });
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
    this.#send('quit', 'quit', encodeFtpCommand('QUIT'));
  }

  #isIpv6(): boolean {
    return ipFamily(this.#spec.target.address) === 'ipv6';
  }
}

function reasonOfFault(fault: FtpFault, phase: Phase): Reason {
  return fault.kind === 'malformed'
    ? { kind: 'protocol-error', phase, detail: fault.detail }
    : { kind: 'too-long', phase, limit: fault.limit };
}
