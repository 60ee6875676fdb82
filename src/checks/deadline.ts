/** Waiting for what cannot be told to end. */

/** Resolves with undefined when the deadline comes, if it comes first. */
export async function beforeDeadline<Value>(
  signal: AbortSignal,
  awaited: Promise<Value>,
): Promise<Value | undefined> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', onAbort);
  });
  const first = await Promise.race([aborted, awaited]);
  signal.removeEventListener('abort', onAbort);
  return first;
}
