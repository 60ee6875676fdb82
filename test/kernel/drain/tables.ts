/** The service of these tests, and what ipvsadm prints of it. */
import { inTable } from '../scene.js';
import { ADDRESSES, VIP } from '../topology.js';

const SERVICE = `-t ${VIP}:80`;

const SERVERS = `servers:
      - { name: web1, address: ${ADDRESSES.rs1} }
      - { name: web2, address: ${ADDRESSES.rs2} }
`;

/** @param more keys of the service, each line indented by four */
export function web(more = '', servers = SERVERS): string {
  return `
services:
  web:
    address: ${VIP}:80
    scheduler: rr
${more}    ${servers}`;
}

/** The lines of the service with these weights; undefined: not there. */
export function lines(rs1: number | undefined, rs2: number | undefined, head = ''): string[] {
  const server = (address: string, weight: number | undefined): string[] =>
    weight === undefined ? [] : [`-a ${SERVICE} -r ${address}:80 -g -w ${weight}`];
  return [`-A ${SERVICE} -s rr${head}`, ...server(ADDRESSES.rs1, rs1), ...server(ADDRESSES.rs2, rs2)];
}

/** The same entry as /proc shows it. */
export const rs1At = (weight: number): string => inTable(VIP, ADDRESSES.rs1, weight);
export const rs2At = (weight: number): string => inTable(VIP, ADDRESSES.rs2, weight);
