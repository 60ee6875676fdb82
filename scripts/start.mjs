/** `npm start`: makes a fresh clone ready and runs the demo. */
import { runDemo } from './demo/run.mjs';
import { main } from './lib/process.mjs';
import { setUp } from './setup.mjs';

await main(() => {
  setUp();
  return runDemo();
});
