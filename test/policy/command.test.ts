/** What commands make of the operator's word about a server, as a table. */
import t from 'tap';
import { epochMillis, millis } from '../../src/core/units.js';
import { type AdminCommand, commandEntry } from '../../src/policy/command.js';
import type { AdminEntry } from '../../src/policy/model.js';
import { entry } from './build.js';

const GIVEN = { at: epochMillis(1000), by: 'operator ann', reason: 'new kernel' };
const SAID = { since: epochMillis(1000), by: 'operator ann', reason: 'new kernel' };
const drain = (finish: AdminEntry['finish'], within?: number): AdminCommand => ({
  kind: 'drain',
  finish,
  within: within === undefined ? undefined : millis(within),
});
const weight = (its: number | undefined): AdminCommand => ({ kind: 'weight', weight: its });

for (const [name, command, before, after] of [
  ['a drain', drain('drained'), undefined, { ...SAID, state: 'draining', finish: 'drained' }],
  [
    'a drain with a deadline, and out of the table then',
    drain('disabled', 500),
    undefined,
    { ...SAID, state: 'draining', finish: 'disabled', deadline: 1500 },
  ],
  ['a drain keeps a weight', drain('drained'), entry({ weight: 3 }), { state: 'draining', weight: 3 }],
  ['a drain begins again', drain('drained'), entry({ state: 'drained' }), { ...SAID, state: 'draining' }],
  ['an undone drain', { kind: 'undrain' }, entry({ state: 'draining' }), undefined],
  ['an undone drain that was over', { kind: 'undrain' }, entry({ state: 'drained' }), undefined],
  [
    'an undone drain leaves the weight',
    { kind: 'undrain' },
    entry({ state: 'draining', weight: 3, deadline: epochMillis(9) }),
    { ...SAID, state: 'enabled', weight: 3, deadline: undefined },
  ],
  ['nothing to undo', { kind: 'undrain' }, undefined, undefined],
  ['a server is disabled', { kind: 'disable' }, undefined, { ...SAID, state: 'disabled' }],
  [
    'a drain is cut short',
    { kind: 'disable' },
    entry({ state: 'draining', deadline: epochMillis(9) }),
    { ...SAID, state: 'disabled', deadline: undefined },
  ],
  ['a server is enabled', { kind: 'enable' }, entry({ state: 'disabled' }), undefined],
  ['so is one that drains', { kind: 'enable' }, entry({ state: 'draining', weight: 2 }), { weight: 2 }],
  ['a weight', weight(5), undefined, { ...SAID, state: 'enabled', weight: 5 }],
  ['a weight of 0', weight(0), undefined, { state: 'enabled', weight: 0 }],
  ['another weight', weight(5), entry({ weight: 2 }), { ...SAID, weight: 5 }],
  [
    'a weight of a server that drains',
    weight(5),
    entry({ state: 'draining' }),
    { state: 'draining', weight: 5 },
  ],
  ['no weight any more', weight(undefined), entry({ weight: 2 }), undefined],
] as const)
  t.test(`a word: ${name}`, async (t) => {
    const made = commandEntry(command, before, GIVEN);
    if (after === undefined) t.equal(made, undefined);
    else t.match(made, { source: 'operator', ...after });
  });

for (const [name, command, before] of [
  ['undrain a server that is disabled', { kind: 'undrain' }, entry({ state: 'disabled' })],
  ['enable a server that is', { kind: 'enable' }, entry({ weight: 4 })],
  ['the same weight', weight(4), entry({ weight: 4 })],
] as const)
  t.test(`nothing changes: ${name}`, async (t) => {
    t.equal(commandEntry(command, before, GIVEN), before);
  });
