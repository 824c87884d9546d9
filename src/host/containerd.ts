/**
 * A cluster's own containerd: configured, started detached so that it outlives us, found again by pid, start time and socket,
 * and stopped only when workloads are to stop. The system's containerd is never touched.
 */
import { spawn } from "node:child_process";
import { existsSync, openSync, closeSync, readFileSync, statSync, truncateSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { Log } from "../base/log.ts";
import { bootId } from "./boot-id.ts";
import { chooseRuntime, cgroupFacts, findRuntimePrograms, networkName, pathsOf, pauseImage, renderCni, renderConfig, type ContainerdSettings } from "./containerd-config.ts";
import { CriRuntime } from "./cri.ts";
import { startTimeOf } from "./daemon.ts";
import { writeFilesAtomic } from "./files.ts";
import { outsideMtu } from "./node-links.ts";
import { importPauseImage } from "./pause-image.ts";
import { forgetBrokenResults } from "./leftovers.ts";

export type RunningContainerd = { readonly socket: string; readonly pid: number; readonly runtime: "runc" | "crun"; readonly startedNow: boolean };

type Running = Pick<ContainerdSettings, "dir" | "runDir" | "boot">;
const bootOf = ({ boot }: Running): string => boot ?? bootId();
/** Ready this long after its start, or it never will be: its log then says why. */
const startTimeoutMs = 20_000;
const logBytesMax = 10 << 20;

/** Makes sure that it runs and answers, and that it has the pause image. */
export async function ensureContainerd(settings: ContainerdSettings, log: Log): Promise<RunningContainerd> {
  const at = pathsOf(settings);
  const programs = findRuntimePrograms(settings.path);
  if (programs.missing.length > 0) throw new Error(`cannot run containers: missing ${programs.missing.join(", ")} (Debian packages)`);
  const facts = cgroupFacts();
  const runtime = chooseRuntime(programs, facts.mounts, facts.unifiedControllers);
  await forgetOtherBoot(settings);
  await mkdir(at.cni, { recursive: true, mode: 0o700 });
  await mkdir(settings.runDir, { recursive: true, mode: 0o711 });
  await writeFilesAtomic([
    { path: at.config, content: renderConfig(settings, programs, { runtime, mayRaiseOomScore: hasCapability(24) }) },
    { path: `${at.cni}/10-timonier.conflist`, content: renderCni(settings, outsideMtu() - (settings.overheadBytes ?? 0)) },
  ]);
  const living = livingContainerd(settings);
  const pid = living ?? await start(settings, programs.containerd!);
  const cri = new CriRuntime(at.socket);
  try {
    await answering(cri, settings, pid);
    if (!await cri.image(pauseImage)) await importPauseImage(cri.containerd, pauseImage, process.arch === "arm64" ? "arm64" : "x64");
  } finally {
    cri.close();
  }
  log.info(living === undefined ? "containerd started" : "containerd found running", { pid, runtime, socket: at.socket });
  return { socket: at.socket, pid, runtime, startedNow: living === undefined };
}

/** Its pid, if it is the very process that we started. */
export function livingContainerd(settings: Running): number | undefined {
  const process = readProcess(settings);
  return process && process.bootId === bootOf(settings) && startTimeOf(process.pid) === process.startTime ? process.pid : undefined;
}

/** Ends containerd itself; containers and their shims go on until they are stopped. */
export async function stopContainerd(settings: Running): Promise<void> {
  const found = readProcess(settings);
  const alive = (): boolean => found !== undefined && livingContainerd(settings) === found.pid;
  for (const [signal, waitMs] of [["SIGTERM", 5_000], ["SIGKILL", 2_000]] as const) {
    if (!alive()) break;
    process.kill(found!.pid, signal);
    for (const began = performance.now(); alive() && performance.now() - began < waitMs; ) await pause(10);
  }
  await rm(pathsOf(settings).process, { force: true });
}

async function start(settings: ContainerdSettings, program: string): Promise<number> {
  const at = pathsOf(settings);
  await rm(at.socket, { force: true });
  await forgetBrokenResults(networkName(settings.name));
  if (existsSync(at.log) && statSync(at.log).size > logBytesMax) truncateSync(at.log);
  const log = openSync(at.log, "a", 0o600);
  try {
    const child = spawn(program, ["--config", at.config, "--log-level", "warn"], { detached: true, stdio: ["ignore", log, log], cwd: "/", env: { PATH: `${settings.path}:/usr/sbin:/usr/bin:/sbin:/bin` } });
    await new Promise<void>((done, fail) => { child.once("spawn", done); child.once("error", fail); });
    child.unref();
    const pid = child.pid!;
    await writeFilesAtomic([{ path: at.process, content: JSON.stringify({ pid, startTime: startTimeOf(pid), bootId: bootOf(settings) }) }]);
    return pid;
  } finally {
    closeSync(log);
  }
}

async function answering(cri: CriRuntime, settings: ContainerdSettings, pid: number): Promise<void> {
  const began = performance.now();
  for (;;) {
    try {
      await cri.version();
      return;
    } catch (error) {
      if (startTimeOf(pid) === undefined) throw new Error(`containerd ended at its start: ${lastLines(pathsOf(settings).log)}`, { cause: error });
      if (performance.now() - began > startTimeoutMs) throw new Error(`containerd does not answer on ${pathsOf(settings).socket}; see ${pathsOf(settings).log}`, { cause: error });
      await pause(5);
    }
  }
}

/** After a reboot nothing of the old state is true: addresses are free, sandboxes are dead. */
async function forgetOtherBoot(settings: ContainerdSettings): Promise<void> {
  const found = readProcess(settings);
  if (!found || found.bootId === bootOf(settings)) return;
  const at = pathsOf(settings);
  for (const path of [at.ipam, at.state, at.runc, at.crun, at.socket, at.process]) await rm(path, { recursive: true, force: true });
}

function readProcess(settings: Pick<ContainerdSettings, "dir" | "runDir">): { readonly pid: number; readonly startTime: number; readonly bootId: string } | undefined {
  try {
    return JSON.parse(readFileSync(pathsOf(settings).process, "utf8")) as ReturnType<typeof readProcess>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether this process has a capability in its effective set. */
export function hasCapability(bit: number): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${effective}`) >> BigInt(bit)) % 2n === 1n;
}

function lastLines(path: string): string {
  return readFileSync(path, "utf8").trim().split("\n").slice(-3).join(" | ").slice(-1000);
}


function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms));
}
