/** The schema of the marks of data-path checks. As schema.ts, it runs at build time only. */
import { PATH_MARKS_FIRST, PATH_MARKS_MAX } from './path-marks.js';
import { integer } from './schema-kit.js';

export const pathMarks = integer(1, 4_294_967_295 - PATH_MARKS_MAX + 1, {
  says: `The first of ${PATH_MARKS_MAX} firewall marks that checks with \`through: service\` may use: one for each server and forwarding method.`,
  default: `${PATH_MARKS_FIRST} (0x4c560000)`,
  example: '1000000',
  relation: 'No `fwmark` of a service may be among them where there are such checks.',
});
