import t from 'tap';
import { hereText } from '../../src/config/elsewhere.js';
import { faultsOf } from './given.js';

t.test('a word of keepalived.conf is answered with ours, whatever its case', async (t) => {
  t.equal(hereText('virtual_router_id'), '; here: `id`');
  t.equal(hereText('LB_ALGO'), '; here: `scheduler`');
  t.equal(hereText('interval'), '');
  t.equal(hereText('constructor'), '');
});

t.test('it is told for the key that nobody knows, and for no other', async (t) => {
  const router = (more: string): string =>
    `services: {}\nvrrp: { v: { interface: eth0, id: 51, ${more}, addresses: [192.0.2.254/24] } }\n`;
  t.match(faultsOf(router('advert_int: 1')), [
    /v\.advert_int: unknown key; here: `interval`, with its unit$/,
  ]);
  t.match(faultsOf(router('intervall: 1s')), [/v\.intervall: unknown key; did you mean "interval"\?$/]);
  t.same(faultsOf(router('interval: 1s')), []);
});
