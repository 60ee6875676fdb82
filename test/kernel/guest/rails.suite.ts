/** Safety rails and the failure of most servers at once, beside a real kernel and under traffic. */
import type { Assertions } from '../../contract/assertions.js';
import { minimum, removals } from '../rails/limits.js';
import { closed, cutWith, cutWithout, fallback, open, probesAlone, serversDie } from '../rails/mass.js';
import { giveAddresses } from '../rails/servers.js';
import { Scene } from '../scene.js';

export async function suite(t: Assertions): Promise<void> {
  const scene = await Scene.build('rails');
  giveAddresses();
  await scene.runAll(t, [
    ['minimum-healthy', minimum],
    ['maximum-removals', removals],
    ['a cable is pulled, nobody is asked', cutWithout],
    ['a cable is pulled, and a canary says so', cutWith],
    ['only the probes are lost', probesAlone],
    ['the servers die, and a canary sings', serversDie],
    ['all in, where most fail', open],
    ['verdicts are believed, and it is told', closed],
    ['a fallback serves, where most fail', fallback],
  ]);
}
