/** Bricks of the answers' JSON Schemas. */

interface ObjectSchema {
  readonly type: 'object';
  readonly description: string;
  readonly properties: Readonly<Record<string, object>>;
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

/** The members of T, all of them and no others: a schema that lags behind its type does not compile. */
export function objectOf<T>(
  description: string,
  properties: { readonly [Name in keyof T]-?: object },
): ObjectSchema {
  return {
    type: 'object',
    description,
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

export const text = (description: string): object => ({ type: 'string', description });
export const flag = (description: string): object => ({ type: 'boolean', description });
export const count = (description: string): object => ({ type: 'integer', minimum: 0, description });
/** A number that need not be whole. */
export const amount = (description: string): object => ({ type: 'number', minimum: 0, description });
export function orNull(schema: object): object {
  const { type, enum: values } = schema as { readonly type: string; readonly enum?: readonly string[] };
  return { ...schema, type: [type, 'null'], ...(values === undefined ? {} : { enum: [...values, null] }) };
}
export const list = (items: object, description: string): object => ({ type: 'array', items, description });
export const choice = (values: readonly string[], description: string): object => ({
  type: 'string',
  enum: values,
  description,
});
