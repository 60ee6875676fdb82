/** Files: what the keys of their checks come to. */
import t from 'tap';
import { configOf, serverOf, serviceText } from './given.js';

const checkOf = (keys: string, more = '') =>
  serverOf(`address: 192.0.2.1:80\n${more}check: { type: file, ${keys} }\nservers: [192.0.2.2]`).checks[0];

t.test('file', async (t) => {
  const target = { address: '192.0.2.2', port: 0 };
  const bare = { type: 'file', target, path: '/run/x', weight: undefined, reverse: false };
  t.same(checkOf('value-file: /run/x').probe, bare);
  t.same(checkOf('value-file: /run/x, weight: -3, reverse: true').probe, {
    ...bare,
    weight: -3,
    reverse: true,
  });
});

t.test('who writes has decided: one probe is enough where nobody says otherwise', async (t) => {
  t.match(checkOf('value-file: /run/x').rule, { rise: 1, fall: 1 });
  t.match(checkOf('value-file: /run/x, rise: 4, fall: 5').rule, { rise: 4, fall: 5 });
});

t.test('it needs no port, may have a name, and what other checks come from does not reach it', async (t) => {
  const lines = `fwmark: 1\nforward: masquerade
checks: [{ type: ping }, { type: file, name: drain, value-file: /run/x }]\nservers: [192.0.2.2]`;
  const text = `defaults: { check: { mark: 7 } }\n${serviceText(lines.replace('{ type: ping }, ', ''))}`;
  const check = configOf(text).services[0]?.servers[0]?.checks[0];
  t.same(check?.probe.target, { address: '192.0.2.2', port: 0 });
  const [, named] = serverOf(lines).checks;
  t.equal(named?.id, 'web/192.0.2.2:0/drain');
});
