/** Real servers of the topology: HTTP, whose answers can be spoilt, and FTP, which is not ours. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { HttpOrder } from './guest/http-server.js';
import type { GuestProcess } from './process.js';
import { type Host, type RealServer, startOn } from './topology.js';

/** The bundle that this suite runs from: it holds the small programs, too. */
const BUNDLE = process.argv[1] ?? '';

const HTTP_PORT = 80;
const FTP_PORT = 21;

/** One service of a real server that can be broken and healed. `start` also starts it again after `stop`. */
export class TestServer {
  #process: GuestProcess | undefined;

  constructor(readonly launch: () => Promise<GuestProcess>) {}

  get process(): GuestProcess {
    if (this.#process === undefined) throw new Error('this server was never started');
    return this.#process;
  }

  async start(): Promise<void> {
    this.#process = await this.launch();
  }

  /** From now on connections are refused. */
  async stop(): Promise<void> {
    await this.process.stop();
  }

  /** From now on connections are made and nobody answers. */
  freeze(): void {
    this.process.freeze();
  }

  /** Undoes `freeze`. */
  thaw(): void {
    this.process.thaw();
  }

  /** HTTP servers only: answers with another status or not so. */
  async order(order: HttpOrder): Promise<void> {
    const { child } = this.process;
    const obeyed = new Promise((resolve) => child.once('message', resolve));
    child.send(order);
    await obeyed;
  }
}

/** Answers every request with 200 and the name of the host, on port 80 and on these. */
export function httpServer(host: Host, ...more: readonly number[]): TestServer {
  const ports = [...more, HTTP_PORT].map(String);
  return new TestServer(() =>
    startOn(host, process.execPath, BUNDLE, 'http-server', host, ...ports).listening(HTTP_PORT),
  );
}

/** vsftpd: anybody may log in as `ftp` with any password and read `/alive`. `folder` takes its files. */
function ftpServer(server: RealServer, folder: string): TestServer {
  const root = `${folder}/${server}-ftp`;
  const empty = `${root}-empty`;
  for (const path of [root, empty]) mkdirSync(path, { recursive: true, mode: 0o755 });
  writeFileSync(`${root}/alive`, `${server}\n`);
  const config = {
    listen: 'YES',
    listen_port: FTP_PORT,
    background: 'NO',
    anonymous_enable: 'YES',
    local_enable: 'NO',
    anon_root: root,
    secure_chroot_dir: empty,
    ftpd_banner: server,
    // Its sandboxes cost more in the guest than everything else.
    seccomp_sandbox: 'NO',
    isolate: 'NO',
    isolate_network: 'NO',
  };
  const lines = Object.entries(config).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(`${root}.conf`, lines.join(''));
  // It writes its complaints to descriptor 0, which is meant to be a client.
  const command = 'exec vsftpd "$0" 0>&1';
  return new TestServer(() => startOn(server, 'sh', '-c', command, `${root}.conf`).listening(FTP_PORT));
}

type Pair = Readonly<Record<RealServer, TestServer>>;

export interface TestServers {
  readonly http: Pair;
  readonly ftp: Pair;
}

/** Both services on both real servers, running; `folder` takes the files of FTP. */
export async function startServers(folder: string): Promise<TestServers> {
  const http = { rs1: httpServer('rs1'), rs2: httpServer('rs2') };
  const ftp = { rs1: ftpServer('rs1', folder), rs2: ftpServer('rs2', folder) };
  await Promise.all([...Object.values(http), ...Object.values(ftp)].map((server) => server.start()));
  return { http, ftp };
}
