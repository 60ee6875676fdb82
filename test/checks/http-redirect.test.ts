/** Where redirects lead: the server is always the one that is probed. */
import t from 'tap';
import { hostName, isRedirect, redirected, urlText, type Visit } from '../../src/checks/http-redirect.js';
import type { Target } from '../../src/checks/spec-target.js';
import { check } from './http-talks.js';

/** The service is at port 80 or 443 of www.example.org; the server that is probed listens elsewhere. */
function visit(secure: boolean, path = '/a/b?c', host = 'www.example.org'): Visit {
  return { secure, port: secure ? 8443 : 8080, url: check({} as Target, { path, host }), trusted: true };
}

/** [location, the URL, the port, whether who asks may be told]. */
const ROWS: readonly (readonly [string, string, number, boolean])[] = [
  ['/x', 'http://www.example.org/x', 8080, true],
  ['x?y=z', 'http://www.example.org/a/x?y=z', 8080, true],
  ['../../../x', 'http://www.example.org/x', 8080, true],
  ['?y', 'http://www.example.org/a/b?y', 8080, true],
  ['//WWW.Example.org/x#part', 'http://www.example.org/x', 8080, true],
  ['http://www.example.org', 'http://www.example.org/', 8080, true],
  ['http://www.example.org:80/x', 'http://www.example.org/x', 8080, true],
  ['http://www.example.org:81/x', 'http://www.example.org:81/x', 81, false],
  ['http://other.example.org/x', 'http://other.example.org/x', 8080, false],
  ['https://www.example.org/x', 'https://www.example.org/x', 443, false],
  ['https://www.example.org:8443/x', 'https://www.example.org:8443/x', 8443, false],
  ['http://user:word@www.example.org/x', 'http://www.example.org/x', 8080, true],
  ['http://[2001:db8::1]/x', 'http://[2001:db8::1]/x', 8080, false],
  ['/a b\tc', 'http://www.example.org/a%20bc', 8080, true],
  ['/žluť', 'http://www.example.org/%C5%BElu%C5%A5', 8080, true],
  ['http://žluť.example/', 'http://xn--lu-yta1h.example/', 8080, false],
];

t.test('a redirect gives a URL, a port of the server, and says whether it is the same place', async (t) => {
  for (const [location, text, port, trusted] of ROWS) {
    const to = redirected(visit(false), 302, location);
    t.equal(to && urlText(to), text, location);
    t.equal(to?.port, port, `${location}: port`);
    t.equal(to?.trusted, trusted, `${location}: trust`);
  }
  const down = redirected(visit(true), 302, 'http://www.example.org/x');
  t.match(down, { secure: false, port: 80, trusted: false });
  t.match(redirected(visit(true), 302, 'https://www.example.org/x'), {
    secure: true,
    port: 8443,
    trusted: true,
  });
  const back = redirected({ ...visit(false), trusted: false }, 302, '/x');
  t.equal(back?.trusted, false, 'trust that is lost does not come back');
});

t.test('what leads nowhere on the web is not followed', async (t) => {
  for (const location of [
    'ftp://x/',
    'file:///etc/passwd',
    'javascript:1',
    'http://',
    'http://x:0/',
    'http://x:99999/',
    '//[::1',
  ])
    t.equal(redirected(visit(false), 302, location), undefined, location);
  t.equal(redirected(visit(false, '/', 'not a host'), 302, '/x'), undefined);
});

t.test('what is asked after a redirect depends on its status', async (t) => {
  const rows: readonly (readonly [number, string, string, string | undefined])[] = [
    [301, 'POST', 'GET', undefined],
    [302, 'POST', 'GET', undefined],
    [303, 'POST', 'GET', undefined],
    [307, 'POST', 'POST', 'x'],
    [308, 'POST', 'POST', 'x'],
    [301, 'HEAD', 'HEAD', 'x'],
    [303, 'HEAD', 'HEAD', 'x'],
    [303, 'OPTIONS', 'GET', undefined],
    [302, 'OPTIONS', 'OPTIONS', 'x'],
  ];
  for (const [status, method, then, body] of rows) {
    const url = check({} as Target, { method: method as 'POST', body: 'x' });
    const to = redirected({ ...visit(false), url }, status, '/y');
    t.same([to?.url.method, to?.url.body], [then, body], `${status} after ${method}`);
  }
  t.same([300, 301, 302, 303, 304, 305, 307, 308, 200].filter(isRedirect), [301, 302, 303, 307, 308]);
});

t.test('the name for TLS is that of the host, unless it is an address', async (t) => {
  t.equal(hostName('WWW.example.org:8443'), 'www.example.org');
  t.equal(hostName('192.0.2.1:80'), undefined);
  t.equal(hostName('192.0.2.1'), undefined);
  t.equal(hostName('[2001:db8::1]:80'), undefined);
});
