/** Starts the server and agent processes and shows their progress, which they write as JSON lines into `<run folder>/<daemon>.status`. */
import { UsageError } from "./args.ts";
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

export async function followDaemons(cluster: Cluster, machine: Machine, progress: Progress, interrupted: () => boolean): Promise<void> {
  const names = cluster.runtime === "simulated" ? ["server"] : ["server", "agent"];
  const followers = [];
  for (const name of names) {
    if (await machine.daemon(name, cluster.runFolder)) continue;
    await machine.remove(statusFile(cluster, name));
    await machine.startDaemon({ name, args: [name, "--data-dir", cluster.dataFolder], runFolder: cluster.runFolder, logFile: `${cluster.dataFolder}/logs/${name}.log` });
    followers.push(follow(name, cluster, machine, progress, interrupted));
  }
  await Promise.all(followers);
}

const statusFile = (cluster: Cluster, name: string): string => `${cluster.runFolder}/${name}.status`;

async function follow(name: string, cluster: Cluster, machine: Machine, progress: Progress, interrupted: () => boolean): Promise<void> {
  const began = machine.now();
  let seen = 0;
  for (;;) {
    const lines = ((await machine.read(statusFile(cluster, name))) ?? "").split("\n");
    for (; seen < lines.length - 1; seen++) {
      const line = JSON.parse(lines[seen]!) as StatusLine;
      if ("ready" in line) return;
      if ("failed" in line) throw new UsageError(line.failed);
      if ("note" in line) progress.note(line.note);
      else progress.done(line.step, line.ms);
    }
    if (interrupted()) throw new UsageError("interrupted: what was half made is removed");
    if (machine.now() - began > crashedAfterMs && seen === 0 && !(await machine.daemon(name, cluster.runFolder))) throw new UsageError(`the ${name} ended at once (${lastLine(await machine.read(`${cluster.dataFolder}/logs/${name}.log`))})`);
    if (machine.now() - began > startMsMax) throw new UsageError(`the ${name} was not ready after ${startMsMax / 1000} s: see ${cluster.dataFolder}/logs/${name}.log`);
    await machine.sleep(3);
  }
}

const lastLine = (text = ""): string => text.trimEnd().split("\n").filter(line => !line.includes("starting again")).at(-1) ?? "its log is empty";
