/** `npm run demo -- ...`: the demo, and orders to the one that runs. */
import { runDirectorsDemo } from './demo/directors.mjs';
import { runKernelDemo } from './demo/kernel.mjs';
import { orderDemo, printStatus, runDemo } from './demo/run.mjs';
import { main, Stop, say } from './lib/process.mjs';

const USAGE = `npm run demo                     runs the demo (npm start builds first)
npm run demo -- stop SERVER      its port refuses
npm run demo -- hang SERVER      it accepts and never answers
npm run demo -- start SERVER     heals both
npm run demo -- status           the servers and their verdicts
npm run demo -- kernel           the same on a real kernel with IPVS, in the kernel lab
npm run demo -- directors        two directors and their virtual IP; one dies, freezes, is cut off`;

await main(async () => {
  const [verb = 'run', name] = process.argv.slice(2);
  switch (verb) {
    case 'run':
      return runDemo();
    case 'stop':
    case 'start':
    case 'hang':
      return orderDemo(verb, name);
    case 'status':
      return printStatus();
    case 'kernel':
      return runKernelDemo();
    case 'directors':
      return runDirectorsDemo();
    case 'help':
    case '--help':
      return say(USAGE);
    default:
      throw new Stop(`${verb} is not a command of the demo. There are:\n${USAGE}`);
  }
});
