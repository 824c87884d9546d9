/**
 * A node in namespaces of its own (network, mounts, names, processes): a "box". Its first process is the pause program, which only reaps;
 * whoever enters (agent, containerd, shims, containers) ends with it, and so do its mounts, interfaces, addresses and packet rules.
 * So a node dies whole by one kill, and nothing of it can leak but cgroups and files, which carry its name.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { bootId } from "./boot-id.ts";
import { command, findProgram } from "./command.ts";
import { startTimeOf } from "./daemon.ts";
import { writeFileAtomic } from "./files.ts";
import { isPluggedIn, plugIn, unplug } from "./node-links.ts";
import { pauseProgram } from "./pause-image.ts";
import { removeShimSockets } from "./shim-sockets.ts";

export type BoxSpec = {
  readonly cluster: string;
  readonly index: number;
  readonly link: number;
  readonly address: string;
  readonly gateway: string;
  readonly ipv6: { readonly address: string; readonly gateway: string } | undefined;
  /** The node's name: what `hostname` says inside. */
  readonly hostname: string;
  /** On the disk: holds the first process's program. */
  readonly dataFolder: string;
  /** Lost with a reboot: says which box there is. */
  readonly runFolder: string;
  readonly path: string;
};
export type Box = { readonly pid: number; /** A new one for each box, as a machine's boot id. */ readonly id: string };

const startMs = 10_000;
const endMs = 5_000;

/**
 * Runs inside before anything else: names, the machine's devices under a view of this network, and private folders where programs insist on
 * fixed places that nodes must not share. $1 hostname, $2 a scratch folder, $3 the program to become.
 */
const setUp = `
set -e
hostname "$1"
mkdir -p "$2"
mount --rbind /sys/fs/cgroup "$2"
mount -t sysfs sysfs /sys
mount --rbind "$2" /sys/fs/cgroup
mount --make-rprivate "$2"
umount -l "$2"
for folder in /run/containerd /var/lib/cni /opt/containerd; do mkdir -p "$folder"; mount -t tmpfs -o mode=0711 tmpfs "$folder"; done
mount --make-rshared /
echo ready
exec "$3" </dev/null >/dev/null 2>&1
`;

/** The box that runs, else a new one; connected in either case. */
export async function ensureBox(spec: BoxSpec): Promise<Box> {
  const living = livingBox(spec);
  if (living) {
    if (!await isPluggedIn(spec.cluster, spec.index, spec.link, spec.path)) await plugIn({ ...spec, pid: living.pid }, spec.path);
    return living;
  }
  await endBox(spec);
  await mkdir(spec.runFolder, { recursive: true, mode: 0o711 });
  await mkdir(spec.dataFolder, { recursive: true, mode: 0o700 });
  await writeFile(programOf(spec), pauseProgram(process.arch === "arm64" ? "arm64" : "x64"), { mode: 0o700 });
  const pid = await start(spec);
  await plugIn({ ...spec, pid }, spec.path);
  const box = { pid, id: randomUUID() };
  await writeFileAtomic(boxFile(spec), JSON.stringify({ ...box, startTime: startTimeOf(pid), bootId: bootId() }));
  return box;
}

/** Undefined where none runs. */
export function livingBox({ runFolder }: Pick<BoxSpec, "runFolder">): Box | undefined {
  if (!existsSync(boxFile({ runFolder }))) return undefined;
  const { pid, id, startTime, bootId: boot } = JSON.parse(readFileSync(boxFile({ runFolder }), "utf8")) as { readonly pid: number; readonly id: string; readonly startTime: number; readonly bootId: string };
  return boot === bootId() && startTimeOf(pid) === startTime ? { pid, id } : undefined;
}

/** Which box this process is in, as its maker has noted. */
export function boxId({ runFolder }: Pick<BoxSpec, "runFolder">): string {
  return (JSON.parse(readFileSync(boxFile({ runFolder }), "utf8")) as Box).id;
}

/** Kills it with all that runs inside; found by its program, so also one whose notes are lost. */
export async function endBox(spec: Pick<BoxSpec, "cluster" | "index" | "dataFolder" | "runFolder" | "path">): Promise<void> {
  for (const { pid, startTime } of firstProcesses(programOf(spec))) {
    const alive = (): boolean => startTimeOf(pid) === startTime;
    if (alive()) process.kill(pid, "SIGKILL");
    for (const began = performance.now(); alive() && performance.now() - began < endMs; ) await new Promise(done => setTimeout(done, 2));
    if (alive()) throw new Error(`node process ${pid} does not end after SIGKILL: a process in it hangs in the kernel (see /proc/${pid}/stack)`);
  }
  removeShimSockets(`${spec.runFolder}/containerd`);
  await unplug(spec.cluster, spec.index, spec.path);
}

/** Arguments of nsenter that put a program into a box; it ends when nsenter does. */
export function insideBox(pid: number, program: readonly string[], path: string): { readonly file: string; readonly args: readonly string[] } {
  return {
    file: findProgram("nsenter", path) ?? "nsenter",
    args: ["--target", String(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--", findProgram("setpriv", path) ?? "setpriv", "--pdeathsig", "TERM", "--", ...program],
  };
}

const boxFile = ({ runFolder }: Pick<BoxSpec, "runFolder">): string => `${runFolder}/box.json`;
const programOf = ({ dataFolder }: Pick<BoxSpec, "dataFolder">): string => `${dataFolder}/init`;

async function start(spec: BoxSpec): Promise<number> {
  const log = openSync(`${spec.dataFolder}/box.log`, "a", 0o600);
  try {
    const child = spawn(findProgram("unshare", spec.path) ?? "unshare", [
      "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--propagation", "slave", "--mount-proc",
      "/bin/sh", "-c", setUp, "timonier-box", spec.hostname, `${spec.dataFolder}/cgroup`, programOf(spec),
    ], { detached: true, stdio: ["ignore", "pipe", log], cwd: "/" });
    child.unref();
    let said = "";
    await new Promise<void>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`the namespaces of node ${spec.hostname} were not ready after ${startMs} ms: see ${spec.dataFolder}/box.log`)), startMs);
      const end = (error?: Error): void => { clearTimeout(timer); if (error) fail(error); else done(); };
      child.once("error", error => end(new Error("running unshare (Debian package util-linux)", { cause: error })));
      child.once("exit", code => end(new Error(`the namespaces of node ${spec.hostname} could not be made (code ${code}): ${lastLine(`${spec.dataFolder}/box.log`)}`)));
      child.stdout!.setEncoding("utf8").on("data", (text: string) => { if ((said += text).includes("ready\n")) end(); });
    });
    child.removeAllListeners();
    child.stdout!.destroy();
    const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim());
    if (!(pid > 0)) throw new Error(`node ${spec.hostname} ended at once: see ${spec.dataFolder}/box.log`);
    // It has nothing more to wait for.
    child.kill("SIGKILL");
    return pid;
  } finally {
    closeSync(log);
  }
}

/** First processes of boxes started with this program, and those that were about to become it. */
function firstProcesses(program: string): readonly { readonly pid: number; readonly startTime: number }[] {
  return readdirSync("/proc").filter(name => /^\d+$/.test(name)).flatMap(name => {
    const words = textOf(`/proc/${name}/cmdline`).split("\0");
    const startTime = words[0] === program || (words[3] === "timonier-box" && words.includes(program)) ? startTimeOf(Number(name)) : undefined;
    return startTime === undefined ? [] : [{ pid: Number(name), startTime }];
  });
}
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
const lastLine = (path: string): string => textOf(path).trim().split("\n").at(-1) ?? "";

/** Whether a program inside a box ended well; its words go to `say`. */
export async function runInside(pid: number, program: readonly string[], path: string, timeoutMs: number): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { file, args } = insideBox(pid, program, path);
  return command(file, args, { timeoutMs });
}
