/** Reads the TAP of tap's runner as it comes: a line for each file, every failure in full, what was skipped and why. */

const POINT = /^(not )?ok \d+ - (.*)$/;
const SUMMARY = /^# \{ (total: \d+, pass: \d+.*) \}$/;

function numberIn(text, name) {
  return Number(new RegExp(`\\b${name}: (\\d+)`).exec(text)?.[1] ?? 0);
}

/** The failed points of a block with what TAP says about them, without what passed around them. */
function failuresIn(block) {
  const kept = [];
  let keeping = -1;
  for (const line of block) {
    const indent = line.length - line.trimStart().length;
    const point = POINT.exec(line.trimStart());
    if (point !== null) keeping = point[1] === undefined ? -1 : indent;
    if (keeping >= 0 && (point !== null || indent > keeping)) kept.push(line);
  }
  return kept;
}

/** `name: reason` of every skipped point in a block. */
function skipsIn(block) {
  return block.flatMap((line) => {
    const match = /^ok \d+ - (.*?) # SKIP ?(.*)$/.exec(line.trim());
    return match === null ? [] : [`${match[1]}: ${match[2] || 'no reason given'}`];
  });
}

/** What two runs of different files came to. */
export function sum(first, second) {
  return {
    code: first.code || second.code,
    passed: first.passed + second.passed,
    failed: first.failed + second.failed,
    skipped: first.skipped + second.skipped,
    bad: [...first.bad, ...second.bad],
    faults: [...first.faults, ...second.faults],
  };
}

/** What a run came to whose bad files were run again: their second word counts, and no point counts twice. */
export function afterAgain(first, again) {
  return {
    ...again,
    passed: first.passed + Math.max(0, first.failed - again.failed),
    skipped: first.skipped,
  };
}

export class TapReport {
  #write;
  #block = [];
  #skips = [];
  #empty = [];
  #bad = [];
  #summary;
  /** Inside what TAP says about a file that failed, which comes after its point. */
  #diagnosing = false;

  /** @param {(line: string) => void} write */
  constructor(write) {
    this.#write = write;
  }

  /** One line of TAP, without its line feed. */
  line(line) {
    const point = POINT.exec(line);
    this.#diagnosing = this.#diagnosing && /^ {2}/.test(line);
    if (this.#diagnosing) this.#write(`     ${line}`);
    else if (point !== null) this.#file(point[1] !== undefined, point[2]);
    else if (SUMMARY.test(line)) this.#summary = line;
    else if (line.startsWith('Bail out!')) this.#write(line);
    else this.#block.push(line);
  }

  #file(failed, text) {
    const name = text.replace(/ # time=.*$/, '').replace(/ # SKIP.*$/, '');
    const time = /# time=([\d.]+)ms/.exec(text)?.[1];
    const skips = skipsIn(this.#block);
    this.#skips.push(...skips.map((skip) => `${name} > ${skip}`));
    if (/# SKIP no tests found/.test(text)) this.#empty.push(name);
    else if (/# SKIP/.test(text)) this.#skips.push(`${name}: ${text.replace(/^.*# SKIP ?/, '')}`);
    const seconds = time === undefined ? '' : ` (${(Number(time) / 1000).toFixed(1)} s)`;
    this.#write(
      `${failed ? 'FAIL' : 'ok  '} ${name}${seconds}${skips.length > 0 ? `, ${skips.length} skipped` : ''}`,
    );
    if (failed) for (const line of failuresIn(this.#block)) this.#write(`     ${line}`);
    if (failed) this.#bad.push(name);
    this.#block = [];
    this.#diagnosing = failed;
  }

  /**
   * After the last line: what was skipped, tap's own summary, and its numbers.
   * @returns {{passed: number, failed: number, skipped: number, bad: string[], faults: string[]}}
   *   `bad`: the files that failed; `faults`: why the run is no good although tap may think so.
   */
  finish() {
    for (const line of failuresIn(this.#block)) this.#write(`     ${line}`);
    if (this.#skips.length > 0) this.#write(`\nskipped (${this.#skips.length}):`);
    for (const skip of this.#skips) this.#write(`  ${skip}`);
    const text = this.#summary ?? '';
    this.#write(`\n${text}`);
    const passed = numberIn(text, 'pass');
    const failed = numberIn(text, 'fail');
    const skipped = numberIn(text, 'skip') + numberIn(text, 'todo');
    const faults = this.#empty.map((name) => `${name} has no tests in it`);
    if (this.#summary === undefined) faults.push('tap ended without a summary');
    else if (passed + failed === 0) faults.push('no test was executed');
    return { passed, failed, skipped, bad: this.#bad, faults };
  }
}
