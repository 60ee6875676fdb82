/** Programs: what the keys of their checks come to. */
import t from 'tap';
import type { ExecCheck } from '../../src/checks/spec-program.js';
import { depsOf } from '../../src/config/load.js';
import { configOf, faultsOf, outside, serverOf, serviceText } from './given.js';

const SERVERS = 'servers: [{ address: 192.0.2.2, name: web1 }]';

function probeOf(keys: string, more = ''): ExecCheck {
  const lines = `address: 192.0.2.1:80\n${more}check: { type: exec, ${keys} }\n${SERVERS}`;
  const { probe } = serverOf(lines, outside({ SECRET: 's3cret' })).checks[0];
  if (probe.type !== 'exec') throw new Error('an exec check');
  return probe;
}

t.test('what is not said', async (t) => {
  t.same(probeOf('program: [/bin/check]'), {
    type: 'exec',
    target: { address: '192.0.2.2', port: 0 },
    argv: ['/bin/check'],
    user: undefined,
    environment: {},
    contract: 'exit',
  });
});

const WORDS: readonly (readonly [string, readonly string[]])[] = [
  [`-H, '\${address}', -p, '\${port}'`, ['-H', '192.0.2.2', '-p', '80']],
  [`'\${service}/\${name}:\${port}'`, ['web/web1:80']],
  [`'$address', '$\${port}', '$(id)', '{port}', 'a b'`, ['$address', '$80', '$(id)', '{port}', 'a b']],
];

t.test('placeholders stand for what is probed, and nothing else does', async (t) => {
  for (const [given, expected] of WORDS)
    t.same(probeOf(`program: [/bin/check, ${given}]`).argv, ['/bin/check', ...expected], given);
});

t.test('what replaces a placeholder is not looked at again', async (t) => {
  const text = `services:\n  web:\n    fwmark: 1\n    forward: masquerade\n    check: { type: exec, port: 7, program: [/bin/check, '\${name}'] }\n    servers: [{ address: 192.0.2.2, name: port }]`;
  t.match(configOf(text).services[0]?.servers[0]?.checks[0].probe, { argv: ['/bin/check', 'port'] });
});

t.test('the port of the check is the one that is told', async (t) => {
  t.same(probeOf(`port: 8080, program: [/bin/check, '\${port}']`).argv, ['/bin/check', '8080']);
  t.match(probeOf(`port: 8080, program: [/bin/check, '\${port}']`).target, { port: 8080 });
});

t.test('a server without a port is probed by a program that is not told one', async (t) => {
  const lines = (word: string): string =>
    `fwmark: 1\nforward: masquerade\ncheck: { type: exec, program: [/bin/check, ${word}] }\nservers: [192.0.2.2]`;
  t.match(serverOf(lines(`'\${address}'`)).checks[0].probe, { argv: ['/bin/check', '192.0.2.2'] });
  t.match(faultsOf(serviceText(lines(`'\${port}'`))), [/the server has no port that could be probed/]);
});

t.test('user, contract and environment', async (t) => {
  const keys = "program: [/bin/x], run-as: 'nobody:adm', contract: nagios";
  t.match(probeOf(`${keys}, environment: { A: b, TOKEN: 'x \${env:SECRET}' }`), {
    user: 'nobody:adm',
    contract: 'nagios',
    environment: { A: 'b', TOKEN: 'x s3cret' },
  });
});

t.test('mon: hosts, groups and folders', async (t) => {
  t.match(probeOf(`program: [/bin/x, -p, '\${port}'], contract: mon, environment: { MON_STATEDIR: /srv }`), {
    argv: ['/bin/x', '-p', '80', '192.0.2.2'],
    environment: {
      MON_GROUP: 'web',
      MON_SERVICE: 'exec',
      MON_STATEDIR: '/srv',
      MON_LOGDIR: '/var/log/mon',
      MON_CFBASEDIR: '/etc/mon',
    },
  });
  t.same(probeOf("program: [/bin/x, a, ';;'], contract: mon").argv, ['/bin/x', 'a']);
  t.same(
    probeOf("program: [/bin/x, a, ';;'], contract: exit").argv,
    ['/bin/x', 'a', ';;'],
    'only mon knows it',
  );
});

t.test('where other probes come from does not reach a program', async (t) => {
  const text = `defaults: { check: { mark: 7, source: 192.0.2.9 } }\n${serviceText(
    `address: 192.0.2.1:80\ncheck: { type: exec, program: [/bin/x] }\n${SERVERS}`,
  )}`;
  t.same(configOf(text).services[0]?.servers[0]?.checks[0].probe.target, { address: '192.0.2.2', port: 0 });
});

t.test(
  'a program that cannot be run is a fault, and asked for again when the file is read again',
  async (t) => {
    const text = serviceText(`address: 192.0.2.1:80\ncheck: { type: exec, program: [/bin/x] }\n${SERVERS}`);
    const deps = {
      ...outside(),
      programProblem: (path: string) => (path === '/bin/x' ? 'is gone' : undefined),
    };
    t.match(faultsOf(text, deps), [/check\.program\[0\]: \/bin\/x is gone$/]);
  },
);

t.test('a secret with a zero byte does not get into an environment', async (t) => {
  const text = serviceText(
    `address: 192.0.2.1:80\ncheck: { type: exec, program: [/bin/x], environment: { A: '\${env:S}' } }\n${SERVERS}`,
  );
  const faults = faultsOf(text, outside({ S: 'a\0b' }));
  t.match(faults, [/check\.environment\.A: what it stands for has a zero byte$/]);
});

t.test('what this machine says of programs', async (t) => {
  const { programProblem } = depsOf();
  t.equal(programProblem('/bin/sh'), undefined);
  t.equal(programProblem('/nowhere/check'), 'does not exist');
  t.equal(programProblem('/bin'), 'is no file, so it cannot be run');
  t.equal(programProblem('/etc/passwd'), 'cannot be run: permission denied');
  t.equal(programProblem('/etc/passwd/x'), 'does not exist: a part of the path is no folder');
});
