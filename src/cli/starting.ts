/** Starts the server and agent processes and shows their progress, which they write as JSON lines into `<run folder>/<daemon>.status`. */
import { UsageError } from "./args.ts";
import { daemonsOf, type Daemon } from "./cluster.ts";
import type { Cluster, Machine } from "./machine.ts";
import type { Progress } from "./progress.ts";

/** One line of a status file. */
export type StatusLine =
  | { readonly step: string; readonly ms: number }
  | { readonly note: string }
  | { readonly ready: true }
  | { readonly failed: string };

const startMsMax = 60_000;
/** A daemon that lives no more this long after its start, without having said why, has crashed. */
const crashedAfterMs = 4_000;

/** Starts those that do not run and waits until they are ready. `started` is told of each before it is. */
export async function followDaemons(cluster: Cluster, machine: Machine, progress: Progress, interrupted: () => boolean, started: (daemon: Daemon) => void): Promise<void> {
  const followers = [];
  for (const daemon of daemonsOf(cluster)) {
    if ((await machine.daemon(daemon.name, daemon.runFolder))?.kept === true) continue;
    await machine.remove(statusFile(daemon));
    started(daemon);
    await machine.startDaemon(daemon);
    followers.push(follow(daemon, machine, progress, interrupted));
  }
  await Promise.all(followers);
}

const statusFile = ({ runFolder, name }: Daemon): string => `${runFolder}/${name}.status`;

async function follow(daemon: Daemon, machine: Machine, progress: Progress, interrupted: () => boolean): Promise<void> {
  const { name, title, runFolder, logFile } = daemon;
  const began = machine.now();
  let seen = 0;
  for (;;) {
    const lines = ((await machine.read(statusFile(daemon))) ?? "").split("\n");
    for (; seen < lines.length - 1; seen++) {
      const line = JSON.parse(lines[seen]!) as StatusLine;
      if ("ready" in line) {
        if (daemon.member) progress.done(title, machine.now() - began);
        return;
      }
      if ("failed" in line) throw new UsageError(line.failed);
      if ("note" in line) progress.note(line.note);
      else if (!daemon.member) progress.done(line.step, line.ms);
    }
    if (interrupted()) throw new UsageError("interrupted: what was half made is removed");
    if (machine.now() - began > crashedAfterMs && seen === 0 && !(await machine.daemon(name, runFolder))) throw new UsageError(`the ${title} ended at once (${lastLine(await machine.read(logFile))})`);
    if (machine.now() - began > startMsMax) throw new UsageError(`the ${title} was not ready after ${startMsMax / 1000} s: see ${logFile}`);
    await machine.sleep(3);
  }
}

const lastLine = (text = ""): string => text.trimEnd().split("\n").filter(line => !line.includes("starting again")).at(-1) ?? "its log is empty";

/** Node agents, all at once; pods stay. Members may have another grace than the machine's own. */
export async function stopAgents(cluster: Cluster, machine: Machine, progress: Progress, graceMs: number, memberGraceMs = graceMs): Promise<void> {
  const agents = daemonsOf(cluster).filter(({ name }) => name === "agent");
  if (agents.length > 0) await progress.step(agents.length === 1 ? "node agent stopped" : `${agents.length} node agents stopped`, async () => { await Promise.all(agents.map(({ name, runFolder, member }) => machine.stopDaemon(name, runFolder, member ? memberGraceMs : graceMs))); });
}
