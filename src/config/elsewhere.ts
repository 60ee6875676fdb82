/** Keys that operators bring along from keepalived.conf, and where to say the same here. */

const WORDS: ReadonlyMap<string, string> = new Map([
  ['vrrp_instance', 'here: `vrrp: NAME:`'],
  ['virtual_router_id', 'here: `id`'],
  ['vrid', 'here: `id`'],
  ['advert_int', 'here: `interval`, with its unit'],
  ['virtual_ipaddress', 'here: `addresses`'],
  ['virtual_ipaddress_excluded', 'here: `excluded`'],
  ['state', 'a virtual router has none here: its priority decides'],
  ['nopreempt', 'here: `preempt: false`'],
  ['authentication', 'here: `auth: { password }`'],
  ['auth_pass', 'here: `auth: { password }`'],
  ['auth_hmac', 'here: `auth: { hmac }`'],
  ['unicast_peer', 'here: `unicast: { peers }`'],
  ['unicast_src_ip', 'here: `unicast: { source }`'],
  ['track_interface', 'here: `track: { interfaces }`'],
  ['track_script', 'here: `tracks`, and `track: { objects }`'],
  ['vrrp_script', 'here: `tracks: NAME: { script }`'],
  ['vrrp_sync_group', 'here: `group` in each virtual router'],
  ['virtual_server', 'here: `services: NAME:`'],
  ['real_server', 'here: `servers`'],
  ['lb_algo', 'here: `scheduler`'],
  ['lvs_sched', 'here: `scheduler`'],
  ['lb_kind', 'here: `forward`'],
  ['lvs_method', 'here: `forward`'],
  ['delay_loop', 'here: `check: { interval }`, with its unit'],
  ['persistence_timeout', 'here: `persistence: { timeout }`'],
  ['sorry_server', 'there is none yet'],
]);

/** `; here: ...` for a word of keepalived.conf, else nothing. */
export function hereText(word: string): string {
  const text = WORDS.get(word.toLowerCase());
  return text === undefined ? '' : `; ${text}`;
}
