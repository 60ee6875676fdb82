import fc from 'fast-check';
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { inspect, nextSteps } from '../../src/realserver/inspect.js';
import {
  isNothing,
  NOTHING,
  parseRemembered,
  rememberedText,
  undo,
  withSteps,
  withVips,
} from '../../src/realserver/memory.js';
import type { HostAddress, Remembered, Step, VipPlace } from '../../src/realserver/model.js';
import { MAIL, machine, ON_LO, SIX, TUNNELLED, WEB } from './host.js';

/** A machine that takes every step. */
class Subject {
  readonly settings: Record<string, string | undefined> = {};
  readonly links: Record<string, boolean> = { tunl0: false };
  addresses: HostAddress[] = [];

  get seen() {
    return machine({ links: this.links, addresses: this.addresses, settings: this.settings });
  }

  take(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind === 'setting') this.settings[step.path] = step.value;
      else if (step.kind === 'create') this.links[step.device] = false;
      else if (step.kind === 'link') this.links[step.device] = step.up;
      else {
        const address: HostAddress = { ...step.vip, prefix: step.vip.address.includes(':') ? 128 : 32 };
        const isSame = (each: HostAddress) =>
          each.address === address.address && each.device === address.device;
        this.addresses = this.addresses.filter((each) => !isSame(each));
        if (step.kind === 'add') this.addresses.push(address);
      }
    }
  }

  up(remembered: Remembered, ...vips: VipPlace[]): Remembered {
    let known = withVips(remembered, vips);
    for (;;) {
      const steps = nextSteps(inspect(this.seen, vips));
      if (steps.length === 0) return known;
      known = withSteps(known, steps, this.seen);
      this.take(steps);
    }
  }

  down(remembered: Remembered, ...vips: VipPlace[]): Remembered {
    const { steps, after } = undo(remembered, vips, this.seen);
    this.take(steps);
    return after;
  }

  /** All that it is, but for settings that are 0. */
  get state(): object {
    const set = Object.entries(this.settings).filter(([, value]) => value !== '0');
    return { settings: Object.fromEntries(set.sort()), links: this.links, addresses: this.addresses };
  }
}

t.test('up and down leave a machine as it was', async (t) => {
  for (const vips of [[WEB], [WEB, MAIL, SIX], [TUNNELLED], [WEB, { ...TUNNELLED, address: MAIL.address }]]) {
    const subject = new Subject();
    subject.settings['ipv4/conf/all/rp_filter'] = '1';
    const before = JSON.stringify(subject.state);
    const known = subject.up(NOTHING, ...vips);
    t.not(JSON.stringify(subject.state), before);
    t.same(
      inspect(subject.seen, vips).filter(({ ok }) => !ok),
      [],
    );
    t.ok(isNothing(subject.down(known, ...vips)), 'nothing is remembered any more');
    t.equal(JSON.stringify(subject.state), before);
  }
});

t.test('what another virtual IP needs stays until that one goes', async (t) => {
  const subject = new Subject();
  const both = subject.up(subject.up(NOTHING, WEB), MAIL);
  const one = subject.down(both, WEB);
  t.same(
    inspect(subject.seen, [MAIL]).filter(({ ok }) => !ok),
    [],
    'the other one has all it needs',
  );
  t.ok(isNothing(subject.down(one, MAIL)));
  t.same(subject.state, new Subject().state);
});

t.test('a second up remembers what was before the first', async (t) => {
  const subject = new Subject();
  subject.settings['ipv4/conf/all/arp_announce'] = '1';
  const known = subject.up(subject.up(NOTHING, WEB), WEB);
  subject.down(known, WEB);
  t.match(subject.state, { settings: { 'ipv4/conf/all/arp_announce': '1' } });
});

t.test('the address goes before the settings that guard it', async (t) => {
  const subject = new Subject();
  const known = subject.up(NOTHING, WEB);
  const kinds = undo(known, [WEB], subject.seen).steps.map(({ kind }) => kind);
  t.same(kinds, ['remove', 'setting', 'setting', 'setting', 'setting']);
});

t.test('a setting that somebody changed since is left alone, and told', async (t) => {
  const subject = new Subject();
  const known = subject.up(NOTHING, WEB);
  subject.settings['ipv4/conf/all/arp_ignore'] = '2';
  const { steps, kept } = undo(known, [WEB], subject.seen);
  t.notOk(steps.some((step) => step.kind === 'setting' && step.path === 'ipv4/conf/all/arp_ignore'));
  t.match(kept, [/ipv4\/conf\/all\/arp_ignore stays at 2/]);
});

t.test('without a memory only the address goes', async (t) => {
  const subject = new Subject();
  subject.up(NOTHING, WEB);
  t.same(undo(NOTHING, [WEB], subject.seen).steps, [{ kind: 'remove', vip: WEB }]);
  t.same(undo(NOTHING, [MAIL], subject.seen).steps, [], 'and none that is not there');
});

t.test('an address with another prefix is not the one that up made', async (t) => {
  const subject = new Subject();
  subject.addresses = [{ ...ON_LO, prefix: 24 }];
  t.same(undo(NOTHING, [WEB], subject.seen).steps, []);
});

t.test('law: whatever is put up and taken down, in whatever order, the machine is as before', async () => {
  const vip = fc.constantFrom(WEB, MAIL, SIX, TUNNELLED, { ...TUNNELLED, address: ip('192.0.2.9') });
  const value = fc.constantFrom('0', '1', '2', '3');
  const paths = ['all', 'lo', 'eth0', 'tunl0'].flatMap((name) =>
    ['arp_ignore', 'arp_announce', 'rp_filter'].map((setting) => `ipv4/conf/${name}/${setting}`),
  );
  const settings = fc.dictionary(fc.constantFrom(...paths), value);
  const orders = fc.array(fc.tuple(fc.boolean(), vip), { maxLength: 12 });
  fc.assert(
    fc.property(settings, orders, (given, all) => {
      const subject = new Subject();
      Object.assign(subject.settings, given);
      const before = JSON.stringify(subject.state);
      let known: Remembered = NOTHING;
      for (const [isUp, each] of all) {
        known = isUp ? subject.up(known, each) : subject.down(known, each);
        known = parseRemembered(rememberedText(known));
      }
      const { vips } = known;
      known = subject.down(known, ...vips);
      return JSON.stringify(subject.state) === before && isNothing(known);
    }),
  );
});

const GOOD = {
  format: 1,
  vips: [{ address: '192.0.2.1', device: 'lo', tunnel: false }],
  settings: [{ path: 'ipv4/conf/all/arp_ignore', before: '0', set: '1' }],
  raised: ['tunl0'],
};

t.test('what is remembered is read strictly', async (t) => {
  t.same(parseRemembered(JSON.stringify(GOOD)).vips, [WEB]);
  const setting = GOOD.settings[0];
  const wrong: readonly (readonly [string, unknown])[] = [
    ['no object', 7],
    ['another format', { ...GOOD, format: 2 }],
    ['a list that is none', { ...GOOD, vips: {} }],
    ['an address that is none', { ...GOOD, vips: [{ address: '192.0.2', device: 'lo', tunnel: false }] }],
    ['a device with a slash', { ...GOOD, raised: ['../x'] }],
    ['a setting that up never changes', { ...GOOD, settings: [{ ...setting, path: 'ipv4/ip_forward' }] }],
    ['a way out of the folder', { ...GOOD, settings: [{ ...setting, path: 'ipv4/conf/../arp_ignore' }] }],
    ['a value that is no number', { ...GOOD, settings: [{ ...setting, before: '1; x' }] }],
    ['too many', { ...GOOD, raised: new Array(5000).fill('tunl0') }],
  ];
  for (const [name, value] of wrong)
    t.throws(() => parseRemembered(JSON.stringify(value)), { code: 'MALFORMED' }, name);
  t.throws(() => parseRemembered('{"format": 1'), { code: 'MALFORMED' }, 'half a file');
});
