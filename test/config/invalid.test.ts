/** One file, one fault: what an operator reads for it, whole. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { CHECK_TYPES } from '../../src/checks/model.js';
import { faultText } from '../../src/config/faults.js';
import { FOLDER_FILES_MAX, loadConfig } from '../../src/config/load.js';

/** The files stay in the source tree; this test runs from dist/test/config. */
const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../../test/config/invalid');

const KINDS = CHECK_TYPES.join(', ');

const EXPECTED: readonly string[] = [
  'address-and-fwmark.yaml:3:5: services.web.address: a fwmark service has no address and takes every protocol; leave it out',
  'address-is-a-name.yaml:3:14: services.web.address: "www.example.org:80" holds a name; names are not looked up, write the address',
  'address-is-broken.yaml:3:14: services.web.address: "192.168.2.300:80" is not an address',
  'address-is-multicast.yaml:3:14: services.web.address: 224.0.0.1 is a multicast address; it cannot be a VIP',
  'address-of-two-services.yaml:6:33: services.shop.addresses[1]: the service tcp 192.168.2.20:80 stands twice; the first is services.web.addresses[0] (line 3)',
  'address-that-is-many.yaml:3:14: services.web.address: 192.168.2.0/24:80 is 256 addresses; list it under `addresses`',
  'address-with-a-prefix.yaml:4:15: services.web.servers[0]: "192.168.2.0/24" is not an address; leave the prefix length out',
  'address-without-a-port.yaml:3:14: services.web.address: 192.168.2.254 has no port; write for example 192.168.2.254:80',
  'addresses-and-address.yaml:3:5: services.web.address: `addresses` says it; leave it out, or list it there',
  'addresses-of-both-families.yaml:4:15: services.web.servers[0]: an ipv4 server in a service of both families; only a tunnel can do that',
  'admit-ramp-is-short.yaml:4:20: services.web.admit.ramp: "10ms" is not a duration from 1s to 1d, such as 60s',
  'agent-send-is-a-number.yaml:4:45: services.web.check.send: the value is not text; put it in quotes',
  'alert-event-is-unknown.yaml:5:23: alerts.oncall.on[1]: "server-updated" is not an event, such as server-down; docs/alerts.md has them all',
  'alert-on-nothing.yaml:5:9: alerts.oncall.on: empty; name the events, or leave `on` out',
  'alert-url-is-not-http.yaml:4:21: alerts.oncall.webhook.url: not a URL such as https://alerts.example.org/lvs (http or https, no user name)',
  'alert-without-a-webhook.yaml:3:11: alerts.oncall.webhook: missing; it must be there',
  'api-token-is-short.yaml:1:32: api.tokens.ann.token: not a token: it has 16 characters or more, and no blanks',
  'api-token-twice.yaml:4:10: api.tokens.bob: the same token as that of ann',
  'authorities-are-not-there.yaml:4:40: services.web.check.authorities: /nowhere/ca.pem does not exist',
  'authorities-without-verify.yaml:4:55: services.web.check.authorities: with `verify: false` nobody looks at authorities',
  'certificate-without-a-key.yaml:4:27: services.web.check.certificate: its `key` is missing',
  'check-interface-is-long.yaml:5:25: services.web.check.interface: "interface-of-a-tenant" is not the name of an interface (at most 15 characters)',
  'check-is-not-a-mapping.yaml:4:12: services.web.check: "http" is not a mapping (type, interval, timeout ...)',
  `check-type-is-empty.yaml:4:32: services.web.check.type: empty; it must be one of ${KINDS}`,
  `check-type-is-unknown.yaml:4:20: services.web.check.type: "htpp" is not one of ${KINDS}; did you mean "http"?`,
  "check-without-a-port.yaml:4:15: services.web.servers[0]: the server has no port that could be probed; say `port` in its check or in the service's",
  'cold-start-is-zero.yaml:1:13: cold-start: "0s" is not a duration from 1s to 1h, such as 30s',
  'contains-with-head.yaml:4:50: services.web.check.contains: the answer to HEAD has no body to look into; use `method: GET`',
  "direct-routing-to-another-port.yaml:6:39: services.web.servers[0].port: port 8080 is not the service's port 80; with `forward: direct` packets arrive unchanged, so the server listens on the service's port (only masquerade changes ports)",
  'dns-answer-of-the-wrong-family.yaml:4:47: services.web.check.answer: "192.0.2.1" is not an IPv6 address',
  'dns-query-with-a-blank.yaml:4:32: services.web.check.query: "a b" is not a domain name in ASCII, such as www.example.org',
  'dns-record-is-unknown.yaml:4:33: services.web.check.record: "HINFOO" is not one of A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, DS, RRSIG, DNSKEY, SVCB, HTTPS, CAA, or a number such as TYPE65',
  'drift-is-unknown.yaml:1:8: drift: "repare" is not one of repair, report, accept; did you mean "repair"?',
  'drift-kind-is-unknown.yaml:4:14: services.web.drift.weights: unknown key; did you mean "weight"?',
  'drift-of-a-kind-is-unknown.yaml:4:22: services.web.drift.weight: "keep" is not one of repair, report, accept',
  'duplicate-fwmark.yaml:3:16: services.b.fwmark: the service fwmark 7 ipv4 stands twice; the first is services.a.fwmark (line 2)',
  'duplicate-key.yaml:6:5: the key scheduler stands here a second time (first in line 4); keep one',
  'duplicate-server-name.yaml:6:17: services.web.servers[1].name: the name one stands twice; the first is services.web.servers[0].name (line 5)',
  'duplicate-server.yaml:6:9: services.web.servers[1]: the server 192.168.2.2:80 stands twice; the first is services.web.servers[0] (line 5)',
  'duplicate-service-name.yaml:5:3: the key web stands here a second time (first in line 2); keep one',
  'duplicate-service.yaml:6:14: services.shop.address: the service tcp 192.168.2.254:80 stands twice; the first is services.web.address (line 3)',
  'duration-is-nonsense.yaml:4:35: services.web.check.interval: "5 seconds" is not a duration from 10ms to 24h, such as 2s',
  'duration-is-too-short.yaml:4:35: services.web.check.interval: "1ms" is not a duration from 10ms to 24h, such as 2s',
  'duration-without-a-unit.yaml:4:35: services.web.check.interval: 5 is not a duration from 10ms to 24h, such as 2s; write the unit, such as 5s',
  'engine-is-unknown.yaml:6:25: services.web.persistence-engine: "sipp" is not one of sip; did you mean "sip"?',
  'engine-with-tcp.yaml:5:5: services.web.persistence-engine: only with `protocol: udp` or `fwmark`, this service is tcp',
  'engine-without-persistence.yaml:5:5: services.web.persistence-engine: only with `persistence`, which it refines',
  'exclusive-without-services.yaml:1:1: exclusive: there are no services, so this would empty the table; `ipvsadm -C` does that',
  'exec-argument-is-a-number.yaml:4:47: services.web.check.program[1]: 80 is not text without zero bytes; put it in quotes',
  'exec-contract-is-unknown.yaml:4:58: services.web.check.contract: "nagos" is not one of exit, keepalived, nagios, mon; did you mean "nagios"?',
  'exec-is-a-user.yaml:4:48: services.web.check.user: it belongs to http and https and websocket and ftp and pop3 and imap and nntp and redis and mysql and postgres and ldap checks; this check is exec',
  `exec-placeholder-is-unknown.yaml:4:47: services.web.check.program[1]: \${prot} stands for nothing; there are \${address}, \${port}, \${name} and \${service}`,
  'exec-program-cannot-be-run.yaml:4:36: services.web.check.program[0]: /etc/passwd cannot be run: permission denied',
  'exec-program-is-not-there.yaml:4:36: services.web.check.program[0]: /nowhere/check does not exist',
  'exec-program-is-relative.yaml:4:36: services.web.check.program[0]: "check_tcp" is not an absolute path; no PATH is searched',
  'exec-secret-in-an-argument.yaml:4:47: services.web.check.program[1]: everybody on this machine can read the arguments of a program; give it the secret by `environment`',
  'exec-variable-with-a-blank.yaml:4:63: services.web.check.environment."A B": the key is not the name of an environment variable',
  'exec-with-a-mark.yaml:4:48: services.web.check.mark: exec checks have no `mark`',
  'exec-without-a-program.yaml:4:20: services.web.check.type: its `program` is missing: the path, then the arguments',
  'fallback-is-a-server.yaml:5:30: services.web.fallback[1][0]: the server 192.168.2.2:80 stands twice; the first is services.web.servers[0] (line 4)',
  'fallback-tier-is-empty.yaml:5:29: services.web.fallback[1]: a list is not an address, a mapping, or a list of those that serve together',
  "fallback-to-another-port.yaml:5:15: services.web.fallback: port 8080 is not the service's port 80; with `forward: direct` packets arrive unchanged, so the server listens on the service's port (only masquerade changes ports)",
  'family-with-an-address.yaml:4:5: services.web.family: the address says the family already; leave it out',
  'fast-interval-is-slow.yaml:4:43: services.web.check.fast-interval: 2s is longer than the interval (1s) that it is to shorten',
  'flag-of-another-scheduler.yaml:5:13: services.web.flags[0]: sh-port belongs to the scheduler sh, this service has mh',
  'flag-twice.yaml:5:22: services.web.flags[1]: "sh-port" stands in the list twice',
  'forward-is-unknown.yaml:4:14: services.web.forward: "tunel" is not one of direct, masquerade, tunnel; did you mean "tunnel"?',
  'ftp-command-in-the-file.yaml:4:31: services.web.check.file: "a\\r\\nDELE b" is not text on one line',
  'ftp-file-by-without-a-file.yaml:4:34: services.web.check.file-by: it says how a file is asked for, but there is no `file`',
  'ftp-password-is-a-number.yaml:4:48: services.web.check.password: the value is not text on one line; put it in quotes',
  'ftp-user-without-a-password.yaml:4:31: services.web.check.user: the user probe has no `password`',
  'gre-with-a-remote-checksum.yaml:5:36: services.web.tunnel.checksum: remote-checksum is not for gre tunnels; they take none or checksum',
  'grpc-with-starttls.yaml:4:31: services.web.check.tls: nothing is spoken before TLS here; use implicit, or none',
  'gue-without-a-port.yaml:5:13: services.web.tunnel: a gue tunnel needs `port`, the UDP port on the server (6080 as a rule)',
  'header-host.yaml:4:37: services.web.check.headers.Host: the header Host cannot be set here; use the key `host` of the check',
  'header-name-is-broken.yaml:4:37: services.web.check.headers."x y": the key is not a header\'s name',
  'header-with-a-line-break.yaml:4:42: services.web.check.headers.x-y: the value is not text in printable ASCII',
  'hello-with-a-blank.yaml:4:33: services.web.check.hello: "a b" is not a host name, or an address in brackets',
  'hex-with-half-a-byte.yaml:4:53: services.web.check.steps[0].send-hex: "0a 0" is not bytes of two hexadecimal digits each, such as "0d 0a"',
  'hooks-for-nobody.yaml:2:8: hooks: nobody is told; say `program` or `fifo`, or leave it out',
  'http-body-with-get.yaml:4:26: services.web.check.body: only `method: POST` sends a body',
  'http-digest-of-odd-length.yaml:4:34: services.web.check.digest: "abc" is not an MD5 (32) or SHA-256 (64) in hexadecimal digits',
  'http-header-regex-is-broken.yaml:4:49: services.web.check.expect-headers.x-a: the regex has a "(" without its ")" (at character 1)',
  'http-json-is-a-mapping.yaml:4:43: services.web.check.json."/status": a mapping is not text, a number, true, false or null',
  'http-json-with-a-large-body.yaml:4:48: services.web.check.json: with a `body-limit` above 1048576 no document is read',
  'http-json-without-a-slash.yaml:4:34: services.web.check.json.status: the key is not a JSON pointer, such as /status',
  'http-path-beside-urls.yaml:4:26: services.web.check.path: each of `urls` has a path of its own; leave this one out',
  'http-redirects-are-many.yaml:4:37: services.web.check.redirects: 99 is not a whole number from 0 to 10',
  'http-regex-is-broken.yaml:4:35: services.web.check.matches: the regex has a "[" without its "]" (at character 1)',
  'http-token-beside-a-user.yaml:4:48: services.web.check.token: there is a `user` already; keep one of them',
  'http-token-with-a-blank.yaml:4:33: services.web.check.token: what it stands for is no token: printable ASCII without blanks',
  'http-url-without-a-path.yaml:4:33: services.web.check.urls[0].path: missing; it must be there',
  'http-urls-are-none.yaml:4:32: services.web.check.urls: empty; nothing would be asked',
  'http-user-beside-a-header.yaml:4:26: services.web.check.user: there is a header `authorization` already; keep one of them',
  'http-user-with-a-colon.yaml:4:32: services.web.check.user: a name with a colon cannot be told in HTTP (RFC 7617 2)',
  'http-version-3.yaml:4:35: services.web.check.version: 3 is not 1.0, 1.1 or 2',
  'http-version-in-quotes.yaml:4:35: services.web.check.version: "1.0" is not 1.0, 1.1 or 2; take the quotes away',
  'imap-password-without-a-user.yaml:4:36: services.web.check.password: there is no `user`',
  'interval-below-an-inherited-timeout.yaml:6:24: services.web.check.interval: the timeout (5s) is longer than the interval (2s); a probe must end before the next one starts',
  'ipip-with-a-port.yaml:5:27: services.web.tunnel.port: only gue tunnels have a port; this tunnel is ipip',
  'keepalived-words.yaml:6:5: vrrp.v.state: unknown key; a virtual router has none here: its priority decides',
  'jitter-above-half.yaml:4:22: services.web.check.jitter: "51%" is not a share from 0% to 50%',
  'key-of-another-check-inherited.yaml:6:14: services.web.check.path: it belongs to http and https and websocket checks; this check is ftp',
  'key-of-another-check.yaml:4:25: services.web.check.path: it belongs to http and https and websocket checks; this check is tcp',
  'key-without-a-certificate.yaml:4:27: services.web.check.key: there is no `certificate` that it is the key of',
  'lag-of-a-master.yaml:4:54: services.web.check.maximum-lag: a master is behind nobody; leave it out',
  'listener-is-not-on-loopback.yaml:1:16: api.listen: 0.0.0.0 is not on loopback; the API has no authentication yet, so it listens on 127.0.0.1, ::1 or a unix socket only',
  'listener-path-is-relative.yaml:1:16: api.listen: "unix:lvsentry.sock" needs an absolute path, such as unix:/run/lvsentry.sock',
  'listener-port-0.yaml:1:16: api.listen: 0 is not a port that clients can find; the usual one is 8405',
  'listener-without-a-port.yaml:1:16: api.listen: "127.0.0.1" has no port; write 127.0.0.1:8405',
  'loopback-as-interface.yaml:3:6: vrrp.v: lo reaches no other director; name the interface of their network',
  'lower-threshold-above-the-upper.yaml:5:71: services.web.servers[0].lower-threshold: 20 is above `upper-threshold` (10)',
  'lower-threshold-alone.yaml:5:50: services.web.servers[0].lower-threshold: only with `upper-threshold`, below which it lies',
  'mark-is-zero.yaml:5:20: services.web.check.mark: 0 is not a whole number from 1 to 4294967295',
  'marked-port-with-persistence.yaml:6:15: services.web.servers[0]: the kernel changes no ports in a fwmark service with `persistence`; leave the port out, and say in `check` which port is probed',
  'canary-twice.yaml:4:15: mass-failure.canaries[1].name: the canary gateway stands twice; the first is mass-failure.canaries[0].name (line 3)',
  'canary-without-a-port.yaml:1:28: mass-failure.canaries[0]: no port that could be probed; write it behind the address',
  'mass-failure-share-of-150-percent.yaml:1:24: mass-failure.share: "150%" is not a share from 1% to 100%, such as 60%',
  'maximum-removals-is-0.yaml:4:23: services.web.maximum-removals: 0 is not a number of servers from 1 to 10000, or none',
  'minimum-healthy-above-all-servers.yaml:4:22: services.web.minimum-healthy: 2 can never be met: servers of weight above 0: 1',
  'minimum-healthy-of-150-percent.yaml:1:30: defaults.minimum-healthy: "150%" is not a number of servers, or a share from 0% to 100%',
  'namespace-with-a-blank.yaml:5:25: services.web.check.namespace: "my tenant" is not the name of a network namespace, or the path of its file',
  'source-is-a-name.yaml:5:22: services.web.check.source: "eth0" is not an address',
  'source-of-the-other-family.yaml:5:22: services.web.check.source: 2001:db8::1 is ipv6, and 192.168.2.2, which is probed, is ipv4; say `source` in the check of each service or server',
  'maintenance-ends-before-it-begins.yaml:3:48: maintenance.w.until: it is not behind `from`',
  'maintenance-of-an-unknown-tag.yaml:3:52: maintenance.w.tags[0]: no tag is "rack-4"; did you mean "rack-3"?',
  'maintenance-of-nothing.yaml:3:6: maintenance.w: it names nothing; say `servers`, `services` or `tags`',
  'maintenance-schedule-of-six-fields.yaml:3:18: maintenance.w.schedule: it has 6 fields; write five: minute, hour, day of the month, month, day of the week',
  'maintenance-without-a-duration.yaml:3:6: maintenance.w: a `schedule` says when the window begins; say `duration`, too',
  'maintenance-without-a-time.yaml:3:6: maintenance.w: it does not say when: `schedule` and `duration`, or `from` and `until`',
  'mixed-families-with-a-fwmark.yaml:5:15: services.web.servers[0]: an ipv6 server in an ipv4 service; say `family: ipv6` in the service, or use a tunnel',
  'mixed-families.yaml:4:15: services.web.servers[0]: an ipv6 server in an ipv4 service; only a tunnel can do that',
  'name-is-a-number.yaml:1:7: name: 7 is not a name (letters, digits, ".", "_" and "-", at most 63); put it in quotes',
  'neither-address-nor-fwmark.yaml:3:5: services.web: neither `address`, `addresses` nor `fwmark`; a service needs one of them',
  'netmask-above-32.yaml:4:29: services.web.persistence.netmask: 64 is more than the 32 bits of an IPv4 address',
  'netmask-is-dotted.yaml:4:29: services.web.persistence.netmask: "255.255.255.0" is not a prefix length (1 to 128), such as 24',
  'network-has-bits-behind-its-prefix.yaml:3:17: services.web.addresses[0]: 192.168.2.65/28 has bits behind its prefix; the network is 192.168.2.64/28',
  'network-is-too-large.yaml:3:17: services.web.addresses[0]: 10.0.0.0/8 has 16777216 addresses; a service has at most 4096',
  'no-services.yaml: no `services`; a configuration that lost them must not empty the table, so say `services: {}` where there are none',
  'ntp-stratum-16.yaml:4:42: services.web.check.maximum-stratum: 16 is not a whole number from 1 to 15',
  'on-remove-keeps.yaml:4:16: services.web.on-remove: "keep" is not one of remove, drain',
  'on-stop-drains-for-days.yaml:1:19: on-stop.drain: "2d" is not a duration from 1s to 1d, such as 30s',
  'on-stop-is-unknown.yaml:1:10: on-stop: "drian" is not one of keep, remove, drain; did you mean "drain"?',
  'on-stop-without-a-deadline.yaml:1:10: on-stop.drain: missing; it must be there',
  'one-packet-with-tcp.yaml:4:5: services.web.one-packet: only with `protocol: udp` or `fwmark`, this service is tcp',
  'path-without-a-slash.yaml:4:32: services.web.check.path: "health" is not a path that begins with "/", without blanks',
  'mysql-with-implicit-tls.yaml:4:45: services.web.check.tls: MySQL agrees on TLS after its greeting; use starttls, or none',
  'persistence-of-half-a-second.yaml:4:29: services.web.persistence.timeout: 1500ms is not a whole number of seconds, which is all the kernel can keep',
  'pop3-user-without-a-password.yaml:4:32: services.web.check.user: the user probe has no `password`',
  'port-0-of-a-check.yaml:4:31: services.web.check.port: 0 is not a port (1 to 65535)',
  'port-0-of-a-server.yaml:6:15: services.web.servers[0]: port 0 (the port of the packet) is for services of port 0 and for fwmark services',
  'port-0-without-persistence.yaml:3:14: services.web.address: port 0 (every port) needs `persistence`, or the parts of a session scatter',
  'port-65536-of-a-server.yaml:6:39: services.web.servers[0].port: 65536 is not a port (0 to 65535)',
  'port-65536-of-a-service.yaml:3:14: services.web.address: 65536 is not a port (0 to 65535)',
  'port-in-a-service-of-port-0.yaml:6:15: services.web.servers[0]: the kernel changes no ports in a service of port 0; leave the port out, and say in `check` which port is probed',
  'port-twice.yaml:6:46: services.web.servers[0].port: the address says a port already; keep one of them',
  'protocol-with-a-fwmark.yaml:4:5: services.web.protocol: a fwmark service has no address and takes every protocol; leave it out',
  'postgres-without-a-user.yaml:4:12: services.web.check: a postgres check needs a `user` who logs in',
  'probe-budget-of-0.yaml:1:24: probe-budget.total: 0 is not a whole number from 1 to 1000000',
  'probe-budget-of-a-service.yaml:1:17: probe-budget.per-service: unknown key',
  'quorum-above-all-weights.yaml:4:13: services.web.quorum: a weight of 2 and a hysteresis of 1 can never be met: all servers have 2 together',
  'quorum-with-a-wide-hysteresis.yaml:4:13: services.web.quorum: a hysteresis of 1 is not below the weight 1',
  'range-runs-backwards.yaml:3:17: services.web.addresses[0]: the range 192.168.2.20-10 runs backwards',
  'redis-database-by-name.yaml:4:37: services.web.check.database: the databases of Redis have numbers, not names',
  'redis-user-without-a-password.yaml:4:33: services.web.check.user: the user probe has no `password`',
  'redis-with-starttls.yaml:4:32: services.web.check.tls: Redis has no STARTTLS; use implicit, or none',
  'regex-with-a-reference.yaml:4:57: services.web.check.steps[0].expect-regex: the regex uses "\\1", which is not known (at character 4)',
  'resync-is-too-long.yaml:1:9: resync: "2h" is not a duration from 1s to 1h, such as 30s',
  'rise-is-0.yaml:4:31: services.web.check.rise: 0 is not a whole number from 1 to 1000',
  'router-active-key-is-missing.yaml:6:47: vrrp.outside.auth.hmac.active: there is no key 2',
  'router-address-of-another.yaml:8:5: vrrp.inside: 192.168.2.254 is a virtual IP of outside already',
  'router-address-twice.yaml:6:16: vrrp.outside.addresses: 192.168.2.254 stands twice',
  'router-address-with-options-of-ipv6.yaml:6:53: vrrp.outside.addresses[0].nodad: for IPv6 only, and 192.168.2.254 is not',
  'router-auth-is-empty.yaml:6:11: vrrp.outside.auth: empty; say `password` or `hmac`, or leave it out',
  'router-id-256.yaml:5:9: vrrp.outside.id: 256 is not a whole number from 1 to 255',
  'router-id-twice.yaml:8:5: vrrp.inside: id 51 on eth0 (ipv4) is taken by outside',
  'router-interval-between-steps.yaml:6:15: vrrp.outside.interval: version 3 counts in steps of 10ms',
  'router-interval-of-half-a-second.yaml:7:15: vrrp.outside.interval: version 2 counts in whole seconds; use `version: 3` for less',
  'router-interval-too-long.yaml:6:15: vrrp.outside.interval: version 3 has room for 40.95s at most',
  'router-key-id-256.yaml:6:36: vrrp.outside.auth.hmac.keys.256: 256 is not the id of a key, 1 to 255',
  'router-keys-without-active.yaml:6:19: vrrp.outside.auth.hmac: with several keys, `active` says which signs',
  'router-label-of-another-interface.yaml:6:12: vrrp.outside.label: "eth1:vip" does not begin with the name of the interface, eth0',
  'router-of-two-families.yaml:6:16: vrrp.outside.addresses: 192.168.2.254 and 2001:db8::1 are of two families; use a virtual router for each, or `excluded`',
  'router-password-too-long.yaml:7:23: vrrp.outside.auth.password: not 1 to 8 characters in printable ASCII',
  'router-password-with-version-3.yaml:6:23: vrrp.outside.auth.password: version 3 has no passwords; use `hmac`, or `version: 2`',
  'router-peer-is-itself.yaml:6:44: vrrp.outside.unicast.peers: 192.168.2.1 is this director itself',
  'router-peer-of-another-family.yaml:6:45: vrrp.outside.unicast.peers[0]: 2001:db8::1 is not of the family of the virtual IPs (ipv4)',
  'router-prefix-too-long.yaml:6:17: vrrp.outside.addresses[0]: /33 is more than /32',
  'router-route-has-bits-behind-its-prefix.yaml:7:20: vrrp.outside.routes[0].to: 10.0.0.1/8 has bits behind its prefix; the network is 10.0.0.0/8',
  'router-route-leads-nowhere.yaml:7:14: vrrp.outside.routes[0]: leads nowhere; say `via` or `device`, or another `type`',
  'router-route-of-two-families.yaml:7:14: vrrp.outside.routes[0]: 2001:db8::1 is not of the family of the destination, 10.0.0.0',
  'router-rule-with-half-a-mark.yaml:7:34: vrrp.outside.rules[0].mark: the mask covers a part of the mark',
  'router-rule-without-a-priority.yaml:7:13: vrrp.outside.rules[0].priority: missing; it must be there',
  'router-tracks-no-service.yaml:6:25: vrrp.outside.track.services[0]: there is no service web',
  'router-tracks-sync-with-0.yaml:6:20: vrrp.outside.track.sync: 0 does nothing; what keepalived calls weight 0 is `fault`',
  'router-tracks-sync-without-sync.yaml:6:20: vrrp.outside.track.sync: there is no `sync` that could be tracked',
  'router-two-kinds-of-auth.yaml:6:11: vrrp.outside.auth: either `password` or `hmac`, not both',
  'router-version-2-with-ipv6.yaml:6:14: vrrp.outside.version: version 2 is for IPv4 only; use `version: 3`',
  'router-virtual-mac-is-its-interface.yaml:7:18: vrrp.outside.virtual-mac: eth0 is the interface itself',
  'router-virtual-mac-of-the-owner.yaml:8:18: vrrp.outside.virtual-mac: the addresses of an owner (priority 255) are those of its interface',
  'router-virtual-mac-twice.yaml:9:5: vrrp.inside: the link vrrp.51 is there already, in outside; give it another name in `virtual-mac`',
  'router-without-a-prefix.yaml:6:17: vrrp.outside.addresses[0]: "192.168.2.254" is not an address with its prefix length; write for example 192.168.2.254/24',
  'router-without-addresses.yaml:6:16: vrrp.outside.addresses: empty; a virtual router has at least one virtual IP',
  'router-without-an-interface.yaml:4:5: vrrp.outside.interface: missing; it must be there',
  'scheduler-is-unknown.yaml:4:16: services.web.scheduler: "wllc" is not one of rr, wrr, lc, wlc, fo, ovf, lblc, lblcr, dh, sh, mh, sed, nq, twos; did you mean "wlc"?',
  "secret-file-is-not-there.yaml:4:48: services.web.check.password: the secret's file /nowhere/password does not exist",
  'secret-file-is-relative.yaml:4:48: services.web.check.password: "password" is not an absolute path',
  'secret-is-not-in-the-environment.yaml:4:48: services.web.check.password: the environment variable LVSENTRY_NOT_SET is not set',
  'send-expect-with-starttls.yaml:4:38: services.web.check.tls: a dialogue of your own words has no STARTTLS; use implicit, or none',
  'send-expect-without-steps.yaml:4:12: services.web.check: a send-expect check needs `steps`, what is sent and what must come',
  'server-is-a-number.yaml:4:15: services.web.servers[0]: 192.168 is not an address or a mapping (address, port, weight ...)',
  'server-is-empty.yaml:6:7: services.web.servers[1]: empty; it must be an address or a mapping (address, port, weight ...)',
  'server-is-link-local.yaml:4:15: services.web.servers[0]: fe80::1 is a link-local address, which names no interface; it cannot be a real server',
  'server-without-an-address.yaml:5:9: services.web.servers[0].address: missing; it must be there',
  'service-name-with-a-blank.yaml:2:3: services."my web": the key is not a name (letters, digits, ".", "_" and "-", at most 63)',
  'sql-value-without-sql.yaml:4:43: services.web.check.sql-value: there is no `sql` that comes to it',
  'state-authorities-are-not-there.yaml:2:51: state.authorities: /nowhere/ca.pem does not exist',
  'state-directory-is-relative.yaml:2:21: state.directory: "var/lib/lvsentry" is not the absolute path of a folder',
  'state-of-nothing.yaml:2:8: state: nothing is kept; say `directory` or `redis`, or leave it out',
  'state-redis-is-http.yaml:2:17: state.redis: not a URL such as redis://10.0.0.5:6379/0 (redis or rediss; user and password stand in USER:PASSWORD@)',
  'state-verdicts-without-a-directory.yaml:2:37: state.verdicts-age: only with `directory`, where verdicts are kept',
  'status-is-no-list.yaml:4:34: services.web.check.status: 200 is not a list of at most 32, each a status (100 to 599) or a range such as 200-299',
  'status-is-no-status.yaml:4:40: services.web.check.status[1]: 700 is not a status (100 to 599) or a range such as 200-299',
  'status-list-is-empty.yaml:4:34: services.web.check.status: empty; no answer would ever be a pass',
  'status-range-is-backwards.yaml:4:35: services.web.check.status[0]: 299-200 ends before it begins',
  'step-is-empty.yaml:4:41: services.web.check.steps[0]: empty; a step is one of send, send-hex, expect, expect-hex, expect-regex',
  'step-of-two-keys.yaml:4:52: services.web.check.steps[0].expect: a step does one thing; begin another step',
  'steps-are-none.yaml:4:40: services.web.check.steps: empty; say what is sent and what must come',
  'sync-beside-mixed-families.yaml:6:7: sync: server [2001:db8::7]:80 of service tunnelled is of the other family; the kernel does not synchronise connections beside such servers',
  'sync-follows-nobody.yaml:3:35: sync.follows: there is no virtual router two',
  'sync-group-is-a-name.yaml:2:47: sync.group: "all-hosts" is not an address',
  'sync-group-is-not-multicast.yaml:2:47: sync.group: 192.0.2.81 is not a multicast address',
  'sync-id-256.yaml:2:44: sync.id: 256 is not a whole number from 0 to 255',
  'sync-role-and-follows.yaml:3:46: sync.role: either a role that never changes, or `follows`',
  'sync-without-a-role.yaml:2:7: sync: without `vrrp` there is no role to follow; say `role`: master, backup or both',
  'sync-without-an-interface.yaml:2:7: sync.interface: missing; it must be there',
  'table-is-unknown.yaml:1:8: table: "kernal" is not one of kernel, memory; did you mean "kernel"?',
  'timeout-above-the-interval.yaml:4:48: services.web.check.timeout: the timeout (2s) is longer than the interval (1s); a probe must end before the next one starts',
  'timeout-of-half-a-second.yaml:1:28: timeouts.udp: 1500ms is not a whole number of seconds, which is all the kernel can keep',
  'tls-keys-without-tls.yaml:4:26: services.web.check.verify: it means nothing without `tls`',
  'track-is-not-defined.yaml:9:24: vrrp.outside.track.objects[0]: there is no up-link in `tracks`; did you mean "uplink"?',
  'track-is-of-two-kinds.yaml:3:11: tracks.uplink: either `file` or `interface`, not both',
  'track-program-is-relative.yaml:3:33: tracks.uplink.script.program[0]: "check-uplink" is not an absolute path; no PATH is searched',
  'track-weight-is-0.yaml:3:74: tracks.uplink.weight: 0 does nothing; what keepalived calls weight 0 is `fault`',
  "tunnel-to-another-port.yaml:5:15: services.web.servers[0]: port 8080 is not the service's port 80; with `forward: tunnel` packets arrive unchanged, so the server listens on the service's port (only masquerade changes ports)",
  'tunnel-without-forward-tunnel.yaml:4:5: services.web.tunnel: `forward` is direct here; a tunnel needs `forward: tunnel`',
  'udp-pattern-is-no-hex.yaml:4:40: services.web.check.reply-pattern: "0a ??" is not bytes of two hexadecimal digits each, X for any digit, such as "ff XX 0X"',
  'udp-payload-twice.yaml:4:37: services.web.check.payload-hex: there is `payload` already; keep one',
  'unknown-key-at-the-top.yaml:1:1: tabel: unknown key; did you mean "table"?',
  'unknown-key-in-a-server.yaml:5:33: services.web.servers[0].wieght: unknown key; did you mean "weight"?',
  'unknown-key-in-a-service.yaml:4:5: services.web.schedular: unknown key; did you mean "scheduler"?',
  'unknown-key-without-a-neighbour.yaml:4:5: services.web.backlog: unknown key',
  'websocket-header-of-the-handshake.yaml:4:31: services.web.check.headers: the headers of the handshake (upgrade, sec-websocket-...) are written by the probe',
  'websocket-subprotocol-with-a-blank.yaml:4:44: services.web.check.subprotocol: "a b" is not the name of a subprotocol',
  'weight-is-a-fraction.yaml:5:41: services.web.servers[0].weight: 1.5 is not a whole number from 0 to 2147483647',
  'weight-is-negative.yaml:5:41: services.web.servers[0].weight: -1 is not a whole number from 0 to 2147483647',
  'weight-is-quoted.yaml:5:41: services.web.servers[0].weight: "2" is not a whole number from 0 to 2147483647; take the quotes away',
  'whole-file-is-a-list.yaml:1:1: a list is not a mapping (name, table, resync ...)',
  'yaml-alias-to-itself.yaml:2:54: *web stands for nothing: no anchor &web ends before this place',
  'yaml-bad-indentation.yaml:4:4: not YAML: bad indentation of a mapping entry',
  'yaml-brackets-without-quotes.yaml:3:27: not YAML: bad indentation of a mapping entry; an address in brackets must stand in quotes',
  'yaml-key-is-a-list.yaml:2:1: a key must be plain text',
  'yaml-merge-key.yaml:5:5: merge keys (<<) are not part of YAML 1.2; write the keys out, or use `defaults`',
  'yaml-second-document.yaml:3:1: a second document; one file holds one document',
  'yaml-tab.yaml:3:1: not YAML: tab characters must not be used in indentation; indent with blanks, not tabs',
  'yaml-tag.yaml:1:11: tags (!!map) are not used here; leave it out',
  'yaml-unclosed-list.yaml:5:1: not YAML: deficient indentation; a bracket or brace before this place is probably not closed',
  'yaml-unknown-alias.yaml:2:8: *web stands for nothing: no anchor &web ends before this place',
  'check-and-checks.yaml:5:5: services.web.checks: there is `check` too; keep one of them',
  'check-has-a-name.yaml:4:25: services.web.check.name: a name tells the checks of `checks` apart; here there is only one',
  'checks-are-none.yaml:4:13: services.web.checks: empty; leave it out, or say what is probed',
  'checks-name-twice.yaml:4:61: services.web.checks[1].name: the name page stands twice; the first is services.web.checks[0].name (line 4)',
  'require-of-nothing.yaml:4:5: services.web.require: it says how many of `checks` must pass, and there are none here',
  'require-more-than-there-are.yaml:5:14: services.web.require: 3 can never pass: there are 2 checks',
  'require-is-unknown.yaml:5:14: services.web.require: "most" is not all, any or { at-least: n }',
  'key-of-another-check-in-a-list.yaml:4:27: services.web.checks[0].path: it belongs to http and https and websocket checks; this check is tcp',
];

const MACHINE = { env: {}, hostName: 'director' };

function faultsOf(name: string): readonly string[] {
  const path = join(FOLDER, name);
  const result = loadConfig(path, MACHINE);
  if (result.ok) return [];
  return result.faults.map((fault) => faultText({ ...fault, file: fault.file.slice(FOLDER.length + 1) }));
}

t.test('each invalid file is refused with exactly one fault, at its place, in these words', async (t) => {
  for (const expected of EXPECTED) {
    const name = expected.slice(0, expected.indexOf(':'));
    t.same(faultsOf(name), [expected], name);
  }
});

t.test('the table and the folder name the same files', async (t) => {
  const named = EXPECTED.map((text) => text.slice(0, text.indexOf(':')));
  t.same(readdirSync(FOLDER).sort(), [...named].sort());
  t.equal(new Set(named).size, named.length, 'no file stands twice');
});

/** As many files as a folder may hold. */
function folders(t: Test): readonly string[] {
  const names = readdirSync(FOLDER).sort();
  const count = Math.ceil(names.length / FOLDER_FILES_MAX);
  return Array.from({ length: count }, (_, index) => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsentry-invalid-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    for (const name of names.filter((_name, at) => at % count === index))
      copyFileSync(join(FOLDER, name), join(folder, name));
    return folder;
  });
}

t.test('many invalid files as one folder: every file has its fault, in the order of the files', async (t) => {
  const files: string[] = [];
  for (const folder of folders(t)) {
    const result = loadConfig(folder, MACHINE);
    t.notOk(result.ok);
    const faulty = result.ok ? [] : result.faults.map(({ file }) => file.slice(folder.length + 1));
    t.same([...faulty].sort(), faulty, 'sorted');
    files.push(...faulty);
  }
  // Alone it lacks its services; beside others it does not.
  const alone = new Set([
    'exclusive-without-services.yaml',
    'no-services.yaml',
    'router-tracks-sync-without-sync.yaml',
  ]);
  const expected = EXPECTED.map((text) => text.slice(0, text.indexOf(':'))).filter(
    (name) => !alone.has(name),
  );
  t.same(
    expected.filter((name) => !files.includes(name)),
    [],
  );
});
