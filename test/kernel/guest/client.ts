/** `main.mjs client`: makes requests for its parent, in the namespace that it was started in. */
import { get } from 'node:http';
import { connect } from 'node:net';

/** Fetches `path` by HTTP (`/` where absent), or logs in by FTP as far as the answer to PASS. */
export interface ClientOrder {
  readonly id: number;
  readonly protocol: 'http' | 'ftp';
  readonly address: string;
  readonly port: number;
  readonly path?: string;
  readonly timeoutMs: number;
}

export interface ClientAnswer {
  readonly id: number;
  /** HTTP status or FTP code; undefined where there was none. */
  readonly status: number | undefined;
  /** The name of the server that answered. */
  readonly server: string | undefined;
  readonly error: string | undefined;
}

type Reply = Omit<ClientAnswer, 'id'>;

function fetchHttp({ address, port, path = '/' }: ClientOrder, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port, path, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const server = Buffer.concat(chunks).toString('utf8').trim();
        resolve({ status: response.statusCode, server, error: undefined });
      });
    });
    request.once('error', reject);
  });
}

const FTP_ORDERS: Readonly<Record<string, string>> = { 220: 'USER ftp\r\n', 331: 'PASS probe@\r\n' };

function logInByFtp({ address, port }: ClientOrder, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, signal });
    let server: string | undefined;
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.on('data', (chunk: Buffer) => {
      const line = chunk.toString('latin1').trim();
      const code = line.slice(0, 3);
      if (code === '220') server = line.slice(4);
      const order = FTP_ORDERS[code];
      if (order !== undefined) return void socket.write(order);
      resolve({ status: Number(code), server, error: undefined });
      socket.end('QUIT\r\n');
    });
  });
}

async function obey(order: ClientOrder): Promise<ClientAnswer> {
  const signal = AbortSignal.timeout(order.timeoutMs);
  try {
    const reply = await (order.protocol === 'http' ? fetchHttp : logInByFtp)(order, signal);
    return { id: order.id, ...reply };
  } catch (thrown) {
    const error = signal.aborted ? 'timeout' : thrown instanceof Error ? thrown.message : String(thrown);
    return { id: order.id, status: undefined, server: undefined, error };
  }
}

export async function program(): Promise<void> {
  process.on('message', (order: ClientOrder) => {
    void obey(order).then((answer) => process.send?.(answer));
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}
