/**
 * The line that an agent in the manner of HAProxy's answers with: words in any order, then a description behind `#`.
 * Source: HAProxy's configuration manual, agent-check.
 */

/** The words that make a server down; `failed` is what some agents write for `fail`. */
const DOWN_WORDS = ['down', 'fail', 'failed', 'stopped'] as const;
const STATE_WORDS = ['ready', 'drain', 'maint'] as const;

/** Of words that contradict each other the last one counts. What is undefined was not said. */
export interface AgentAnswer {
  readonly operation: 'up' | (typeof DOWN_WORDS)[number] | undefined;
  readonly administration: (typeof STATE_WORDS)[number] | undefined;
  /** Of the configured weight; 100 is all of it. */
  readonly percent: number | undefined;
  /** Behind `#`, without blanks around it; may be empty. */
  readonly description: string;
  /** Whether there is at least one word that is known, whatever else there is. */
  readonly isKnown: boolean;
}

/** Bytes of a line, its end not counted. */
export const AGENT_LINE_MAX = 1024;

const [CR, LF] = [0x0d, 0x0a];
const PERCENT = /^(\d{1,5})%$/;

/** Where the first line ends; undefined where its end has not come yet. */
export function agentLineEnd(bytes: Uint8Array): number | undefined {
  const end = bytes.findIndex((byte) => byte === CR || byte === LF);
  return end < 0 ? undefined : end;
}

type Draft = { -readonly [Key in keyof AgentAnswer]: AgentAnswer[Key] };

function take(draft: Draft, word: string): boolean {
  const down = DOWN_WORDS.find((each) => each === word);
  const state = STATE_WORDS.find((each) => each === word);
  const percent = PERCENT.exec(word)?.[1];
  if (percent !== undefined) draft.percent = Number(percent);
  else if (word === 'up') draft.operation = word;
  else if (down !== undefined) draft.operation = down;
  else if (state !== undefined) draft.administration = state;
  // How many connections HAProxy may open at once is nothing to IPVS.
  else return /^maxconn:\d+$/.test(word);
  return true;
}

/** Reads a line without its end, in any case. Words that nobody knows are passed over. */
export function parseAgentLine(line: string): AgentAnswer {
  const at = line.indexOf('#');
  const draft: Draft = {
    operation: undefined,
    administration: undefined,
    percent: undefined,
    description: at < 0 ? '' : line.slice(at + 1).trim(),
    isKnown: false,
  };
  for (const word of (at < 0 ? line : line.slice(0, at)).split(/[ \t,]+/))
    if (take(draft, word.toLowerCase())) draft.isKnown = true;
  return draft;
}
