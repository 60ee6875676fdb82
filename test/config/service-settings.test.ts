import t from 'tap';
import { SCHEDULERS } from '../../src/ipvs/names.js';
import { faultsOf, serverOf, serviceOf, serviceText } from './given.js';

t.test('a marked packet has its port changed where the service is not persistent', async (t) => {
  const lines = (more: string) => `fwmark: 1\n${more}\nservers: ["192.0.2.2:8080"]`;
  t.equal(serverOf(lines('forward: masquerade')).dest.key.port, 8080);
  t.equal(serverOf(lines('persistence: {}')).dest.key.port, 8080, 'not masqueraded: it says what is probed');
});

t.test('every scheduler of the kernel and every flag is a word of the configuration', async (t) => {
  for (const scheduler of SCHEDULERS) {
    const { settings } = serviceOf(`address: 192.0.2.1:80\nscheduler: ${scheduler}\nservers: []`).entries[0];
    t.equal(settings.scheduler, scheduler);
  }
  t.match(faultsOf(serviceText('address: 192.0.2.1:80\nscheduler: none\nservers: []')), [
    /"none" is not one of/,
  ]);
});
