/** A cluster for measuring: its own name, data directory and kubeconfig, the server on one core, gone afterwards. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export type Credentials = { readonly server: string; readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
export type BenchCluster = {
  readonly credentials: Credentials;
  /** Its data directory. */
  readonly home: string;
  /** From the command to its return. */
  readonly upMs: number;
  /** Every process of the cluster. */
  readonly pids: () => readonly number[];
  /** The control plane stops, and starts again. */
  readonly down: () => void;
  readonly up: () => Promise<void>;
  /** Everything goes. */
  readonly stop: () => void;
};

const launcher = new URL("../../timonier", import.meta.url).pathname;

/** The server gets core 0 to itself when there is more than one; who measures takes the others. */
export const serverCore = "0";

export function startCluster(options: { readonly nodes?: number; readonly pinned?: boolean; readonly flags?: readonly string[] } = {}): BenchCluster {
  const home = mkdtempSync(join(tmpdir(), "timonier-bench-"));
  const name = `bench-${process.pid}`;
  const env = { ...process.env, TIMONIER_NAME: name, TIMONIER_DATA_DIR: home, KUBECONFIG: join(home, "kubeconfig") };
  const commandLine = (args: readonly string[]): [string, string[]] => {
    const [command = "", ...rest] = [...(options.pinned === false ? [] : ["taskset", "-c", serverCore]), launcher, ...args];
    return [command, rest];
  };
  const run = (...args: readonly string[]) => { execFileSync(...commandLine(args), { env, stdio: ["ignore", "ignore", "inherit"] }); };
  // Ports that no other cluster looks at, so that several may start at once.
  const port = 30_000 + 2 * (process.pid % 1_000);
  const flags = [...(options.flags ?? ["--runtime", "simulated", "--nodes", String(options.nodes ?? 1)]), "--port", String(port), "--node-port", String(port + 1)];
  const stop = () => {
    run("delete");
    rmSync(home, { recursive: true, force: true });
  };
  const started = performance.now();
  try {
    run("up", ...flags);
    const upMs = performance.now() - started;
    return { home, credentials: credentialsOf(readFileSync(join(home, "kubeconfig"), "utf8")), upMs, pids: () => processesOf(home), stop, down: () => run("down"), up: async () => { await promisify(execFile)(...commandLine(["up"]), { env }); } };
  } catch (error) {
    stop();
    throw error;
  }
}

function credentialsOf(kubeconfig: string): Credentials {
  const field = (name: string) => new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1] ?? "";
  const data = (name: string) => Buffer.from(field(name), "base64");
  return { server: field("server"), ca: data("certificate-authority-data"), cert: data("client-certificate-data"), key: data("client-key-data") };
}

/** Processes that have the data directory on their command line, the keeper shells apart. */
function processesOf(directory: string): number[] {
  return readdirSync("/proc").filter(entry => /^\d+$/.test(entry)).map(Number).filter(pid => {
    const command = readProc(pid, "cmdline");
    return command.includes(directory) && !command.startsWith("/bin/sh") && pid !== process.pid;
  });
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ESRCH") return "";
    throw error;
  }
}

/** Seconds of processor time that a process has used. */
export function cpuSeconds(pid: number): number {
  const fields = readProc(pid, "stat").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

/** Resident memory of a process, in megabytes. */
export function rssMB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readProc(pid, "status"))?.[1] ?? 0) / 1024;
}

/** Physical memory of several processes: what each has to itself, and the pages of the files that they share (Node's own code) once. */
export function physicalMB(pids: readonly number[]): number {
  const of = (pid: number, name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readProc(pid, "status"))?.[1] ?? 0) / 1024;
  return pids.reduce((sum, pid) => sum + of(pid, "RssAnon"), 0) + Math.max(0, ...pids.map(pid => of(pid, "RssFile")));
}

/** Its share of the memory that it uses: pages that others map too count in part. */
export function pssMB(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readProc(pid, "smaps_rollup"))?.[1] ?? 0) / 1024;
}
