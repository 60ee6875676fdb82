/** The way back. */
import fc from 'fast-check';
import t from 'tap';
import { diffTable } from '../../src/ipvs/diff.js';
import { findForeign } from '../../src/ipvs/foreign.js';
import { destText } from '../../src/ipvs/keys.js';
import type { ObservedTable, Operation } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import { fitUndo, undo } from '../../src/ipvs/undo.js';
import { inService, services, worlds } from './arbitrary.js';
import { dest, key, service, table } from './build.js';

/** Entries and settings, without counters and order. */
function settingsOf(observed: ObservedTable): unknown {
  return [...observed]
    .map(([text, { service: its, dests }]) => [
      text,
      its.settings,
      [...dests.values()].map((one) => [destText(one.key), one.settings]).sort(),
    ])
    .sort();
}

const plans = worlds.map(({ observed, configured }) => {
  const condemned = findForeign(configured, new Map(), observed);
  return {
    observed,
    operations: diffTable(configured, observed, { condemned }).map((step) => step.operation),
  };
});

t.test('law: there and back again is where one was, and the way back fits as it is', async (t) => {
  fc.assert(
    fc.property(plans, ({ observed, operations }) => {
      const there = applyToObserved(observed, operations);
      const back = undo(observed, operations);
      const home = applyToObserved(there, back);
      t.same(fitUndo(back, there), back);
      return JSON.stringify(settingsOf(home)) === JSON.stringify(settingsOf(observed));
    }),
    { numRuns: 300 },
  );
});

t.test('law: no prefix of the way back empties a service that had servers and has some again', async (t) => {
  fc.assert(
    fc.property(plans, ({ observed, operations }) => {
      const there = applyToObserved(observed, operations);
      const back = undo(observed, operations);
      for (const text of there.keys()) {
        if (inService(observed, text) === 0 || inService(there, text) === 0) continue;
        for (let length = 1; length < back.length; length += 1)
          if (inService(applyToObserved(there, back.slice(0, length)), text) === 0) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.pass('500 plans');
});

t.test('law: whatever others do meanwhile, what is left of the way back can be done', async (t) => {
  const others = services.map((list) => table(...list));
  fc.assert(
    fc.property(plans, others, ({ observed, operations }, now) => {
      let current = now;
      for (const operation of fitUndo(undo(observed, operations), now)) {
        if (!isPossible(operation, current)) return false;
        current = applyToObserved(current, [operation]);
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.pass('500 tables');
});

function isPossible(operation: Operation, table: ObservedTable): boolean {
  const keyOf =
    'key' in operation
      ? operation.key
      : 'key' in operation.service
        ? operation.service.key
        : operation.service;
  const text = keyOf.kind === 'fwmark' ? '' : `${keyOf.protocol} ${keyOf.address}:${keyOf.port}`;
  const found = table.get(text);
  if (operation.kind === 'add-service') return found === undefined;
  if (operation.kind === 'edit-service' || operation.kind === 'delete-service') return found !== undefined;
  const its = operation.kind === 'delete-dest' ? operation.dest : operation.dest.key;
  const isThere = found?.dests.has(destText(its)) === true;
  return operation.kind === 'add-dest' ? found !== undefined && !isThere : isThere;
}

t.test('a service that others put servers into meanwhile is left to them', async (t) => {
  const web = service();
  const done: readonly Operation[] = [
    { kind: 'add-service', service: web },
    { kind: 'add-dest', service: key(), dest: dest('192.0.2.11') },
  ];
  const back = undo(new Map(), done);
  const now = table([web, [dest('192.0.2.11'), dest('192.0.2.99')]]);
  t.same(
    fitUndo(back, now).map(({ kind }) => kind),
    ['delete-dest'],
  );
});
