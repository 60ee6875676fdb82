#!/usr/bin/env node
/** The program `lvsentry`. Nothing is imported before Node is known to be new enough to read it. */
import type { CliContext } from './cli/context.js';
import type { Config } from './config/model.js';
import type { Facts } from './doctor/model.js';

/** As `engines` in package.json. */
const NODE_MIN = [20, 19] as const;

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);
}

async function openKernelTable(): ReturnType<CliContext['openKernelTable']> {
  const [{ IpvsClient }, { PathTable }, { openNetlink }, { systemTimers, systemTurns }] = await Promise.all([
    import('./ipvs/client.js'),
    import('./ipvs/path-table.js'),
    import('./sys/netlink.js'),
    import('./sys/clock.js'),
  ]);
  const table = new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });
  return new PathTable(table, () => undefined);
}

async function openRealServer(): ReturnType<CliContext['openRealServer']> {
  const [
    { AddressClient },
    { RealServer },
    { MemoryFile },
    { openNetlink },
    { systemTimers, systemTurns },
    { systemSysctls, networkName },
  ] = await Promise.all([
    import('./addresses/client.js'),
    import('./realserver/keeper.js'),
    import('./realserver/memory-file.js'),
    import('./sys/netlink.js'),
    import('./sys/clock.js'),
    import('./sys/sysctl.js'),
  ]);
  return new RealServer({
    client: new AddressClient({ openNetlink, timers: systemTimers, turns: systemTurns }),
    sysctls: systemSysctls,
    // What it remembers is of one network namespace, and of one run of the machine.
    memory: new MemoryFile(`/run/lvsentry/realserver-${networkName()}.json`),
  });
}

async function examine(config: Config | undefined): Promise<Facts> {
  const [
    { AddressClient },
    { collectFacts },
    { openNetlink },
    { systemTimers, systemTurns },
    { systemSysctls },
  ] = await Promise.all([
    import('./addresses/client.js'),
    import('./doctor/facts.js'),
    import('./sys/netlink.js'),
    import('./sys/clock.js'),
    import('./sys/sysctl.js'),
  ]);
  const client = new AddressClient({ openNetlink, timers: systemTimers, turns: systemTurns });
  try {
    return await collectFacts(config, { openTable: openKernelTable, client, sysctls: systemSysctls });
  } finally {
    client.close();
  }
}

function onInterrupt(listener: () => void): () => void {
  // A terminal that is gone is no wish: what waits goes on waiting.
  const signals: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGINT', listener],
    ['SIGTERM', listener],
    ['SIGHUP', () => undefined],
  ];
  for (const [signal, run] of signals) process.on(signal, run);
  return () => {
    for (const [signal, run] of signals) process.off(signal, run);
  };
}

async function main(words: readonly string[]): Promise<number> {
  const [{ runCli }, { systemClock, systemTimers }, { openOrigin }, { openPacketSocket }, { openPipe }] =
    await Promise.all([
      import('./cli/program.js'),
      import('./sys/clock.js'),
      import('./sys/origin.js'),
      import('./sys/packet.js'),
      import('./sys/pipe.js'),
    ]);
  return runCli(words, {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    isTerminal: process.stdout.isTTY,
    clock: systemClock,
    timers: systemTimers,
    openOrigin,
    openSocket: openPacketSocket,
    openPipe,
    openKernelTable,
    trialFile: '/run/lvsentry-apply.json',
    connectionsFile: '/proc/net/ip_vs_conn',
    onInterrupt,
    openRealServer,
    examine,
    runDaemon: async (path, level) => {
      const { collectGarbageAlone, keepYoungSmall, optimizeLate } = await import('./sys/collector.js');
      collectGarbageAlone();
      keepYoungSmall();
      optimizeLate();
      return (await import('./daemon.js')).runDaemon(path, level);
    },
  });
}

// `lvsentry table | head`: whoever reads has had enough. A full disk is another matter.
process.stdout.on('error', (error: Error & { readonly code?: string }) =>
  process.exit(error.code === 'EPIPE' ? 0 : 1),
);

if (isTooOld(process.versions.node)) {
  process.stderr.write(
    `lvsentry needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}\n`,
  );
  process.exit(1);
}
// Standard output is synchronous on Linux: nothing is cut off here.
process.exit(await main(process.argv.slice(2)));
