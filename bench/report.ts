/** What every bench that is published needs: a section of docs/performance.md, and where the figures come from. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../test/kernel/lab.js';

const FILE = join(PROJECT, 'docs/performance.md');
const PREFACE = `# Performance

Figures of \`npm run bench -- NAME\`, written by it. They are of one machine on one day: compare columns, not with
other machines.
`;

/** Puts a section into a document: in the place of the one with this title, or at the end. */
export function withSection(document: string, title: string, body: string): string {
  const section = `## ${title}\n\n${body.trim()}\n`;
  const parts = document.split(/^(?=## )/m);
  const at = parts.findIndex((part) => part.startsWith(`## ${title}\n`));
  const last = at === parts.length - 1 || at === -1;
  const text = last ? section : `${section}\n`;
  if (at !== -1) return parts.with(at, text).join('');
  return `${document.trimEnd()}\n\n${text}`;
}

/** Writes what was measured into docs/performance.md. */
export function publish(title: string, body: string): void {
  const document = existsSync(FILE) ? readFileSync(FILE, 'utf8') : PREFACE;
  writeFileSync(FILE, withSection(document, title, body));
}

/** The machine as it is now, in one line. */
export function machineText(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, Linux ${release()}, Node ${process.versions.node}`;
}

/** What keepalived says its version is. */
export function keepalivedVersion(): string {
  const said = spawnSync('keepalived', ['--version'], { encoding: 'utf8' }).stderr;
  return /^Keepalived v(\S+)/m.exec(said)?.[1] ?? 'of unknown version';
}

/** How busy the machine was in the last minute. */
export function loadText(): string {
  return (loadavg()[0] ?? Number.NaN).toFixed(2);
}
