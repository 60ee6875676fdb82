/** Protocol numbers of IP (IANA), as in the protocol field of IPv4 and the next header of IPv6. */
export const IPPROTO = { ICMP: 1, ICMPV6: 58, VRRP: 112 } as const;
