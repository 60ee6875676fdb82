/** What the keys of agent checks come to. */
import t from 'tap';
import { faultsOf, outside, serverOf } from './given.js';

const ADDRESS = 'address: 192.0.2.1:80';

t.test(
  'an agent has decided before it speaks, but rise and fall are followed where somebody says them',
  async (t) => {
    const [check] = serverOf(`${ADDRESS}\ncheck: { type: agent, port: 9777 }\nservers: [192.0.2.2]`).checks;
    t.match(check, {
      rule: { rise: 1, fall: 1 },
      probe: { type: 'agent', target: { address: '192.0.2.2', port: 9777 }, send: undefined },
    });
    const [other] = serverOf(`${ADDRESS}\ncheck: { type: agent, fall: 2 }\nservers: [192.0.2.2]`).checks;
    t.match(other, { rule: { rise: 1, fall: 2 }, probe: { target: { port: 80 } } });
    const [plain] = serverOf(`${ADDRESS}\ncheck: { type: tcp }\nservers: [192.0.2.2]`).checks;
    t.match(plain, { rule: { rise: 2, fall: 3 } }, 'others measure');
  },
);

t.test('what is sent may be a secret', async (t) => {
  const text = `${ADDRESS}\ncheck: { type: agent, send: "\${env:WORD} web\\n" }\nservers: [192.0.2.2]`;
  const [check] = serverOf(text, outside({ WORD: 's3cret' })).checks;
  t.match(check, { probe: { send: 's3cret web\n' } });
  const faults = faultsOf(
    `services: { web: { ${ADDRESS.replace(': ', ": '")}', check: { type: agent, send: '\${env:NONE}' }, servers: [192.0.2.2] } }`,
  );
  t.match(faults, [/check\.send: the environment variable NONE is not set/]);
});
