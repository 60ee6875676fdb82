/** Follows a text file that another process appends to. */
import { closeSync, openSync, readSync, watch } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const LINE_LENGTH_MAX = 64 * 1024;

export interface Follower {
  /** Reads what is left, gives a last line without a newline too, and stops. */
  close(): void;
}

/** Calls `onLine` for each line of an existing file, those that are there and those that come. */
export function followLines(path: string, onLine: (line: string) => void): Follower {
  const file = openSync(path, 'r');
  const chunk = Buffer.alloc(LINE_LENGTH_MAX);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const drain = () => {
    for (let count = readSync(file, chunk); count > 0; count = readSync(file, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, count))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    }
  };
  const watcher = watch(path, drain);
  drain();
  return {
    close: () => {
      watcher.close();
      drain();
      closeSync(file);
      if (rest !== '') onLine(rest);
    },
  };
}
