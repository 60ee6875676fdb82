/** The program `lvsentry`. */
import { runDaemon } from './daemon.js';

const [command, flag, path] = process.argv.slice(2);
if (command === 'run' && flag === '-c' && path !== undefined) {
  process.exit(await runDaemon(path, 'info'));
} else {
  process.stderr.write('usage: lvsentry run -c FILE\n');
  process.exitCode = 2;
}
