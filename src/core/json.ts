/** Values from everywhere as JSON: whatever is wrong with them, what they belong to is not lost. */

const bigintAsText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;

/** JSON of a mapping; one that cannot be written, or is longer than `longest` characters, says so instead. */
export function boundedJson(value: Readonly<Record<string, unknown>>, longest: number): string {
  let text: string;
  try {
    text = JSON.stringify(value, bigintAsText);
  } catch {
    return '{"omitted":"not representable in JSON"}';
  }
  return text.length <= longest ? text : '{"omitted":"too long"}';
}
