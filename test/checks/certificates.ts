/** Certificates for one run of the tests, made by openssl. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const CONFIG = `
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = optional
`;

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** An authority in a folder of its own. */
export class Authority {
  readonly #folder: string;
  /** PEM. */
  readonly cert: string;
  #count = 0;

  constructor(t: Test, name: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'lvsentry-authority-'));
    t.teardown(() => rmSync(this.#folder, { recursive: true }));
    for (const [file, text] of Object.entries({ 'ca.cnf': CONFIG, 'index.txt': '', serial: '01\n' }))
      writeFileSync(join(this.#folder, file), text);
    const { cert } = this.selfSigned(`/CN=${name}`, 'basicConstraints=critical,CA:TRUE', 'ca');
    this.cert = cert;
  }

  /** A certificate that nobody else vouches for. */
  selfSigned(subject: string, extension: string, name = 'self'): Identity {
    const days = ['-days', '2', '-subj', subject, '-addext', extension];
    this.#openssl('req', '-x509', ...this.#newKey(name), '-out', `${name}.pem`, ...days);
    return { key: this.#read(`${name}.key`), cert: this.#read(`${name}.pem`) };
  }

  /** A certificate for `names` (`DNS:x,IP:y`) that holds between two dates such as `20200101000000Z`. */
  issue(names: string, [from, to] = ['20200101000000Z', '20491231235959Z']): Identity {
    this.#count += 1;
    const name = `leaf${this.#count}`;
    const request = ['-out', `${name}.csr`, '-subj', '/CN=server', '-addext', `subjectAltName=${names}`];
    this.#openssl('req', '-new', ...this.#newKey(name), ...request);
    const signing = ['-batch', '-notext', '-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
    const dates = ['-startdate', from ?? '', '-enddate', to ?? ''];
    this.#openssl('ca', ...signing, ...dates, '-in', `${name}.csr`, '-out', `${name}.pem`);
    return { key: this.#read(`${name}.key`), cert: this.#read(`${name}.pem`) };
  }

  #newKey(name: string): string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
  }

  #openssl(...args: string[]): void {
    const { status, stderr } = spawnSync('openssl', args, { cwd: this.#folder });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }
}

export const NO_OPENSSL = spawnSync('openssl', ['version']).status !== 0 && 'there is no openssl';
