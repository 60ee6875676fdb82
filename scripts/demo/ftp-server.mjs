/**
 * A real server of the demo: a small FTP server (RFC 959, passive mode of RFC 2428) with one file and an anonymous
 * login. Arguments: name, port. Its parent says `hang` and `heal`, and ends it by leaving.
 */
import { createServer } from 'node:net';
import { posix } from 'node:path';

const FILES = new Map([['/pub/alive', Buffer.from('alive\n')]]);
const FOLDERS = new Set(['/', '/pub']);
const LINE_MAX = 512;
const IDLE_MS = 30_000;

const [name, port] = process.argv.slice(2);
const sessions = new Set();
let hanging = false;

/** One control connection: what it said so far, who it is, and where its data connection will come from. */
class Session {
  #socket;
  #text = '';
  #user;
  #loggedIn = false;
  #folder = '/';
  #data;

  constructor(socket) {
    this.#socket = socket;
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#data?.close();
      sessions.delete(this);
    });
    this.#reply(`220-${name}: the demo's FTP server`, '220 Ready.');
  }

  destroy() {
    this.#socket.destroy();
  }

  #reply(...lines) {
    if (!hanging && this.#socket.writable) this.#socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  #read(bytes) {
    this.#text += bytes.toString('latin1');
    if (this.#text.length > LINE_MAX && !this.#text.includes('\n')) return this.destroy();
    const lines = this.#text.split('\n');
    this.#text = lines.pop();
    for (const line of lines) {
      const [, verb = '', argument = ''] = /^(\S*) ?(.*?)\r?$/.exec(line) ?? [];
      this.#command(verb.toUpperCase(), argument);
    }
  }

  #command(verb, argument) {
    switch (verb) {
      case 'USER':
        this.#user = argument;
        return this.#reply('331 Any password will do.');
      case 'PASS':
        this.#loggedIn = /^(anonymous|ftp)$/i.test(this.#user ?? '');
        return this.#reply(this.#loggedIn ? '230 Logged in.' : '530 Only anonymous is welcome.');
      case 'QUIT':
        this.#reply('221 Goodbye.');
        return this.#socket.end();
      case 'NOOP':
        return this.#reply('200 Done.');
      default:
        return this.#loggedIn ? this.#fileCommand(verb, argument) : this.#reply('530 Log in first.');
    }
  }

  #fileCommand(verb, argument) {
    const path = posix.resolve(this.#folder, argument);
    const file = FILES.get(path);
    switch (verb) {
      case 'TYPE':
        return this.#reply('200 Done.');
      case 'SYST':
        return this.#reply('215 UNIX Type: L8');
      case 'PWD':
        return this.#reply(`257 "${this.#folder}"`);
      case 'CWD':
        if (!FOLDERS.has(path)) return this.#reply('550 No such folder.');
        this.#folder = path;
        return this.#reply('250 Done.');
      case 'SIZE':
        return this.#reply(file === undefined ? '550 No such file.' : `213 ${file.length}`);
      case 'PASV':
      case 'EPSV':
        return this.#listen(verb);
      case 'RETR':
        return file === undefined ? this.#reply('550 No such file.') : this.#send(file);
      default:
        return this.#reply('502 Not known here.');
    }
  }

  #listen(verb) {
    this.#data?.close();
    const data = createServer();
    // A client may connect before it asks for the file: the connection waits here.
    data.connected = new Promise((resolve) => data.once('connection', resolve));
    data.once('connection', (socket) => socket.on('error', () => socket.destroy()));
    data.maxConnections = 1;
    data.on('error', () => this.#reply('425 No port is free.'));
    this.#data = data;
    data.listen(0, '127.0.0.1', () => {
      const at = data.address().port;
      const text =
        verb === 'PASV'
          ? `227 Entering passive mode (127,0,0,1,${at >> 8},${at & 255}).`
          : `229 Entering extended passive mode (|||${at}|).`;
      this.#reply(text);
    });
  }

  async #send(file) {
    const data = this.#data;
    if (data === undefined) return this.#reply('425 Ask for PASV or EPSV first.');
    this.#data = undefined;
    this.#reply(`150 Here come ${file.length} bytes.`);
    const socket = await data.connected;
    socket.end(file);
    data.close();
    socket.once('close', () => this.#reply('226 Done.'));
  }
}

const server = createServer((socket) => {
  if (hanging) socket.on('error', () => socket.destroy());
  else sessions.add(new Session(socket));
});

process.on('message', (order) => {
  hanging = order === 'hang';
});
process.once('disconnect', () => process.exit(0));
server.once('error', (error) => {
  process.send({ failed: error.code });
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1', () => process.send('listening'));
