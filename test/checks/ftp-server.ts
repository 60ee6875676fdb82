/** An FTP server that does what a test wants: well by default, each command in another way where told so. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import type { Ip } from '../../src/core/ip.js';
import { Listener, LOCALHOST, listen } from './listeners.js';

/** What the server does on its data connection, once RETR has come. */
export type DataTalk = (data: Socket, control: Socket) => unknown;

export interface Manners {
  readonly greeting?: string | ((control: Socket) => unknown);
  /** By command verb: the reply, or something else to do. */
  readonly replies?: Readonly<Record<string, string | ((control: Socket, argument: string) => unknown)>>;
  readonly data?: DataTalk;
  /** The address that a 227 reply names; not where the server listens. */
  readonly namedAddress?: string;
}

export class FtpServer {
  readonly commands: string[] = [];
  readonly listeners: readonly Listener[];
  /** Where data connections come from. */
  dataConnections = 0;

  private constructor(
    readonly control: Listener,
    readonly data: Listener,
  ) {
    this.listeners = [control, data];
  }

  static async open(t: Test, manners: Manners = {}, address: Ip = LOCALHOST): Promise<FtpServer> {
    let waiting: Socket | undefined;
    let begin: ((data: Socket) => void) | undefined;
    const data = await listen(
      t,
      (socket) => {
        server.dataConnections += 1;
        waiting = socket;
        begin?.(socket);
      },
      address,
    );
    const control = await Listener.open(
      t,
      talking((socket, line) => server.#onCommand(socket, line)),
      address,
    );
    const server = new FtpServer(control, data);
    server.#manners = manners;
    server.#withData = (run) => {
      begin = run;
      if (waiting !== undefined) run(waiting);
    };
    control.server.on('connection', (socket: Socket) => {
      const { greeting = '220 ready' } = manners;
      if (typeof greeting === 'string') socket.write(`${greeting}\r\n`);
      else greeting(socket);
    });
    return server;
  }

  #manners: Manners = {};
  #withData: (run: (data: Socket) => void) => void = () => undefined;

  #onCommand(control: Socket, line: string): void {
    this.commands.push(line);
    const [verb = '', ...words] = line.split(' ');
    const reply = this.#manners.replies?.[verb] ?? this.#usual(verb, control);
    if (typeof reply === 'string') control.write(`${reply}\r\n`);
    else reply?.(control, words.join(' '));
  }

  #usual(verb: string, control: Socket): string | (() => void) {
    const { port, address } = this.data.target;
    const named = (this.#manners.namedAddress ?? address).split('.');
    const replies: Readonly<Record<string, string>> = {
      USER: '331 password please',
      PASS: '230 welcome',
      TYPE: '200 as you like',
      SIZE: '213 5',
      PASV: `227 Entering Passive Mode (${[...named, port >> 8, port & 255].join()})`,
      EPSV: `229 Entering Extended Passive Mode (|||${port}|)`,
      QUIT: '221 goodbye',
    };
    if (verb !== 'RETR') return replies[verb] ?? '500 what?';
    const talk = this.#manners.data ?? sendFile;
    return () => this.#withData((data) => talk(data, control));
  }
}

/** The usual transfer. */
export function sendFile(data: Socket, control: Socket): void {
  control.write('150 here it comes\r\n');
  data.end('alive\n', () => control.write('226 done\r\n'));
}

function talking(onCommand: (socket: Socket, line: string) => void): Server {
  return createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        onCommand(socket, line);
      }
    });
  });
}
