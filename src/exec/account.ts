/** Users and groups by name, from the texts of passwd(5) and group(5). */

/** As whom a program runs. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export type AccountResult =
  | { readonly ok: true; readonly account: Account }
  | { readonly ok: false; readonly problem: string };

/** 4294967295 is (uid_t) -1: setuid(2) takes it for "as it is". */
const ID_MAX = 4_294_967_294;

/** The fields of the line whose first field is `name`; names are those of the machine's files, not of a directory service. */
function lineOf(text: string, name: string): readonly string[] | undefined {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([first]) => first === name);
}

function numberOf(text: string | undefined): number | undefined {
  const id = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return id <= ID_MAX ? id : undefined;
}

/** A user given as a number has the group of its line, else the group of the same number. */
function userOf(user: string, passwd: string): Account | undefined {
  const uid = numberOf(user);
  const fields =
    uid === undefined
      ? lineOf(passwd, user)
      : passwd
          .split('\n')
          .map((line) => line.split(':'))
          .find((each) => numberOf(each[2]) === uid);
  const found = numberOf(fields?.[2]) ?? uid;
  const gid = numberOf(fields?.[3]) ?? uid;
  return found === undefined || gid === undefined ? undefined : { uid: found, gid };
}

/** Reads `USER` or `USER:GROUP`, each a name or a number. */
export function findAccount(given: string, passwd: string, group: string): AccountResult {
  const [user = '', groupName] = given.split(':', 2);
  const account = userOf(user, passwd);
  if (account === undefined) return { ok: false, problem: `there is no user ${user} on this machine` };
  if (groupName === undefined) return { ok: true, account };
  const gid = numberOf(groupName) ?? numberOf(lineOf(group, groupName)?.[2]);
  if (gid === undefined) return { ok: false, problem: `there is no group ${groupName} on this machine` };
  return { ok: true, account: { uid: account.uid, gid } };
}
