import fc from 'fast-check';
import t from 'tap';
import { GoawayFinder } from '../../src/wire/http2.js';
import { data, FRAME, frame, goaway, SETTINGS } from '../checks/http2-talks.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function find(pieces: readonly Uint8Array[]): readonly number[] {
  const finder = new GoawayFinder();
  return pieces.flatMap((piece) => finder.push(piece) ?? []);
}

t.test('the error of a GOAWAY is found, whatever stands around it', async (t) => {
  t.same(find([PREFACE, SETTINGS, goaway(9)]), [9]);
  t.same(find([Buffer.concat([PREFACE, SETTINGS, data(1, goaway(3)), goaway(1, 7), data(1, 'x')])]), [1]);
  t.same(
    find([
      PREFACE,
      frame(FRAME.goaway, 0, 0, Buffer.concat([goaway(2).subarray(9), Buffer.from('why')])),
      SETTINGS,
    ]),
    [2],
  );
  t.same(find([PREFACE, goaway(0), SETTINGS]), [], 'NO_ERROR is no error');
  t.same(find([PREFACE, data(1, goaway(3)), SETTINGS]), [], 'what a frame carries is no frame');
  t.same(find([PREFACE.subarray(0, 20)]), []);
});

t.test(
  'law: however the bytes are cut, and whatever they are, the same is found and nothing throws',
  async (t) => {
    const frames = fc.array(
      fc.oneof(
        fc.constant(SETTINGS),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => data(1, bytes)),
        fc.nat(20).map((code) => goaway(code)),
      ),
    );
    fc.assert(
      fc.property(frames, fc.nat(50), (list, size) => {
        const all = Buffer.concat([PREFACE, ...list]);
        const bytes = Array.from(all, (byte) => Uint8Array.of(byte));
        const pieces = [all.subarray(0, size), all.subarray(size)];
        const codes = list.flatMap((one) =>
          one[3] === FRAME.goaway && (one[16] ?? 0) > 0 ? [one[16] ?? 0] : [],
        );
        return (
          find(bytes).join() === codes.join() && codes.slice(-1).every((code) => find(pieces).includes(code))
        );
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => find([bytes]).length <= 1));
    t.pass();
  },
);
