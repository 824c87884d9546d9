/** The real machine behind the commands: files, programs, processes, the terminal. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, chmod, constants, mkdir, readdir, readFile, readlink, rm, rmdir, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, hostname, networkInterfaces } from "node:os";
import { delimiter, dirname, resolve } from "node:path";
import type { Machine, RunResult } from "../cli/machine.ts";
import { messageOf } from "../base/log.ts";
import { writeFileAtomic } from "./files.ts";
import { daemonOf, startDaemon, startTimeOf, stopDaemon } from "./daemon.ts";

const outputCharsMax = 10_000_000;

export function realMachine(): Machine {
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    hostname: hostname(),
    env: process.env,
    home: process.env["HOME"] || homedir(),
    terminal: process.stdout.isTTY === true,
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    now: () => performance.now(),
    sleep: ms => new Promise(done => setTimeout(done, ms)),
    read: path => ifPresent(readFile(path, "utf8")),
    write: async (path, text) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileAtomic(path, text, 0o600);
    },
    exists: async path => (await ifPresent(stat(path))) !== undefined,
    list: async folder => (await ifPresent(readdir(folder))) ?? [],
    remove: path => rm(path, { recursive: true, force: true, maxRetries: 3 }),
    removeEmpty: async folder => {
      try {
        await rmdir(folder);
      } catch (error) {
        // EBUSY: something is mounted there, as on a disk of its own for the clusters.
        if (!["ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
    },
    resolve: path => resolve(path),
    digest: text => createHash("sha256").update(text).digest("hex"),
    which, run,
    startDaemon, daemon: daemonOf, stopDaemon,
    portFree,
    primaryAddress,
    assignedAddresses,
    networks,
    download,
    sha256: bytes => createHash("sha256").update(bytes).digest("hex"),
    writeProgram: async (path, bytes) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(path, bytes);
      await chmod(path, 0o755);
    },
    lock,
    onInterrupt: callback => {
      process.once("SIGINT", callback);
      process.once("SIGTERM", callback);
      return () => { process.off("SIGINT", callback); process.off("SIGTERM", callback); };
    },
  };
}

async function ifPresent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

async function which(program: string): Promise<string | undefined> {
  // Our own node_modules/.bin comes first on PATH under npm: nothing of ours is a system program.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].filter(folder => folder && !folder.endsWith("node_modules/.bin"));
  for (const folder of folders) {
    const path = `${folder}/${program}`;
    if ((await ifPresent(stat(path).catch(notForUs)))?.isFile() && (await mayRun(path))) return path;
  }
  return undefined;
}

/** A folder on PATH that we may not look into has nothing for us. */
function notForUs(error: NodeJS.ErrnoException): undefined {
  if (error.code === "EACCES") return undefined;
  throw error;
}

async function mayRun(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // whatever the reason: it cannot be run
  }
}

function run(program: string, args: readonly string[], options: Parameters<Machine["run"]>[2] = {}): Promise<RunResult> {
  return new Promise((done, fail) => {
    const child = spawn(program, [...args], {
      stdio: options.inherit ? "inherit" : ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => { if (stdout.length < outputCharsMax) stdout += text; });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => { if (stderr.length < outputCharsMax) stderr += text; });
    // With a shared terminal Ctrl-C reaches the child by itself; we only wait for what it makes of it.
    const ignore = (): void => undefined;
    if (options.inherit) process.on("SIGINT", ignore);
    child.on("error", error => { process.off("SIGINT", ignore); fail(new Error(`running ${program}`, { cause: error })); });
    child.on("close", (code, signal) => { process.off("SIGINT", ignore); done({ code: code ?? (signal === "SIGINT" ? 130 : 1), stdout, stderr }); });
  });
}

function portFree(address: string, port: number): Promise<boolean> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") done(false);
      else fail(new Error(`listening on ${address} port ${port}`, { cause: error }));
    });
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => done(true)));
  });
}

/** The first IPv4 address that is neither loopback nor one of a container network. */
export function assignedAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap(addresses => (addresses ?? []).map(({ address }) => address));
}

export function primaryAddress(): string | undefined {
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (!/^(lo|veth|docker|br-|cni|virbr|tun|tap|rt|tm)/.test(name))
      for (const address of addresses ?? []) if (address.family === "IPv4" && !address.internal) return address.address;
  return undefined;
}

async function networks(): Promise<readonly string[]> {
  const own = Object.values(networkInterfaces()).flatMap(addresses => (addresses ?? []).flatMap(address => (address.family === "IPv4" && address.cidr ? [address.cidr] : [])));
  const table = (await ifPresent(readFile("/proc/net/route", "utf8"))) ?? "";
  const routes = table.split("\n").slice(1).filter(Boolean).flatMap(line => {
    const destination = Buffer.from(line.split("\t")[1] ?? "", "hex");
    return destination.length === 4 && destination.readUInt32BE() !== 0 ? [[...destination].reverse().join(".")] : [];
  });
  return [...own, ...routes];
}

async function download(url: string, bytesMax: number): Promise<Uint8Array> {
  const response = await fetch(url, { redirect: "follow", signal: AbortSignal.timeout(120_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body!) {
    size += piece.length;
    if (size > bytesMax) throw new Error(`${url} is larger than ${bytesMax} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A lock file that holds pid and start time of its owner; one whose owner is gone is taken over. */
async function lock(path: string): Promise<Awaited<ReturnType<Machine["lock"]>>> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const release = (): Promise<void> => rm(path, { force: true });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      // A link that leads nowhere: its few bytes need no block, so that a full disk can still be cleared.
      await symlink(`${process.pid} ${startTimeOf(process.pid) ?? 0}`, path);
      return { ok: true, release };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw new Error(`taking the lock ${path}: ${messageOf(error)}`, { cause: error });
    }
    const [pid = 0, started = 0] = ((await ifPresent(readlink(path))) ?? "").split(" ").map(Number);
    if (pid > 0 && startTimeOf(pid) === started) return { ok: false, holder: `pid ${pid}` };
    await release();
  }
  return { ok: false, holder: path };
}
