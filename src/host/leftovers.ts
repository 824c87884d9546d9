/** What a private containerd that died, or was killed, leaves on the machine: shims, namespaces, mounts, CNI's notes. */
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { startTimeOf } from "./daemon.ts";
import { writeFileAtomic } from "./files.ts";
import { mountsBeneath } from "./node-files.ts";
import { mustCommand } from "./command.ts";

const killWaitMs = 5_000;
/** What CNI plugins answered when they made pods' networks: one file an interface, the place is fixed. */
const results = "/var/lib/cni/results";

export async function removeLeftovers(at: { readonly root: string; readonly state: string; readonly socket: string; readonly network: string; readonly runDir: string; readonly ipam: string }): Promise<void> {
  const shims = shimsOf(at.socket);
  // Containers first, while their shims still know them; then the shims.
  for (const { pid, startTime } of [...shims.flatMap(({ pid }) => descendantsOf(pid)), ...shims]) await killProcess(pid, startTime);
  for (const folder of [at.state, at.root]) for (const point of await mountsBeneath(folder)) await mustCommand("umount", ["--no-canonicalize", "--lazy", point]);
  const ours = await sandboxesOf(at.ipam, at.network);
  for (const name of await names(results))
    if (name.startsWith(`${at.network}-`) || ours.some(id => name === `cni-loopback-${id}-lo`)) await rm(`${results}/${name}`, { force: true });
  await rm(at.socket, { force: true });
  await rm(`${at.socket}.ttrpc`, { force: true });
}

/**
 * Takes away such answers of `network`, and of loopbacks, that are no JSON: a power cut or a kill came before they were on the disk. Their sandboxes could
 * never be removed; without them the plugins remove what they find.
 */
export async function forgetBrokenResults(network: string, folder = results): Promise<void> {
  for (const name of await names(folder)) {
    if (!name.startsWith(`${network}-`) && !name.startsWith("cni-loopback-")) continue;
    try {
      JSON.parse(await readFile(`${folder}/${name}`, "utf8"));
    } catch (error) {
      if (!(error instanceof SyntaxError) && (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await rm(`${folder}/${name}`, { force: true });
    }
  }
}

/** Folders that containerd, its shims and CNI plugins make outside of ours, because their place is fixed. */
const sharedFolders = ["/var/lib/cni", "/run/containerd", "/opt/containerd", "/etc/cni"];

/** Remembers once, in `file`, which of them were not there before us. */
export async function rememberFolders(file: string): Promise<void> {
  if (existsSync(file)) return;
  await writeFileAtomic(file, JSON.stringify(sharedFolders.filter(folder => !existsSync(folder))));
}
/** Takes those away again, as far as nobody else has put anything there. */
export async function forgetFolders(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const made = JSON.parse(readFileSync(file, "utf8")) as readonly string[];
  for (const folder of sharedFolders) if (made.includes(folder)) await removeEmpty(folder);
}
async function removeEmpty(folder: string): Promise<void> {
  for (const name of await names(folder)) if (lstatSync(`${folder}/${name}`).isDirectory()) await removeEmpty(`${folder}/${name}`);
  try {
    await rmdir(folder);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/**
 * Keeps an eye on shims that no sandbox or container of the runtime belongs to: containerd leaves one behind when whoever asked for a sandbox
 * dies while it is being made. One that is unknown on two looks in a row is ended; `listed` gives all ids that the runtime knows.
 */
export class StrayShims {
  readonly #socket: string;
  #suspects = new Set<string>();
  constructor(socket: string) {
    this.#socket = socket;
  }
  /** Gives the ids of those it ended. */
  async look(listed: () => Promise<ReadonlySet<string>>): Promise<readonly string[]> {
    // Shims first: what the runtime makes in between is in its list and not among them.
    const shims = shimsOf(this.#socket);
    const known = await listed();
    const strays = shims.filter(({ id }) => id !== "" && !known.has(id));
    const ended = strays.filter(({ id }) => this.#suspects.has(id));
    for (const shim of ended) for (const { pid, startTime } of [...descendantsOf(shim.pid), shim]) await killProcess(pid, startTime);
    this.#suspects = new Set(strays.map(({ id }) => id));
    return ended.map(({ id }) => id);
  }
}

type Known = { readonly pid: number; readonly startTime: number };

/** Shims that answer to our socket: it stands in their command line. */
function shimsOf(socket: string): readonly (Known & { readonly id: string })[] {
  return processes().flatMap(known => {
    const words = text(`/proc/${known.pid}/cmdline`).split("\0");
    const after = (flag: string): string => (words.includes(flag) ? words[words.indexOf(flag) + 1] ?? "" : "");
    return words[0]?.includes("containerd-shim") === true && after("-address") === socket ? [{ ...known, id: after("-id") }] : [];
  });
}
function processes(): readonly Known[] {
  return readdirSync("/proc").filter(name => /^\d+$/.test(name)).flatMap(name => {
    const startTime = startTimeOf(Number(name));
    return startTime === undefined ? [] : [{ pid: Number(name), startTime }];
  });
}
function descendantsOf(pid: number): readonly Known[] {
  const children = text(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean).map(Number);
  return children.flatMap(child => {
    const startTime = startTimeOf(child);
    return startTime === undefined ? [] : [...descendantsOf(child), { pid: child, startTime }];
  });
}

async function killProcess(pid: number, startTime: number): Promise<void> {
  const alive = (): boolean => startTimeOf(pid) === startTime;
  if (!alive()) return;
  process.kill(pid, "SIGKILL");
  for (const began = performance.now(); alive() && performance.now() - began < killWaitMs; ) await new Promise(done => setTimeout(done, 5));
}

/** Sandboxes that still hold an address, by host-local's notes (`<ip>` files with the id in their first line). */
async function sandboxesOf(ipam: string, network: string): Promise<readonly string[]> {
  return (await names(`${ipam}/${network}`)).map(name => text(`${ipam}/${network}/${name}`).split(/\s/)[0] ?? "").filter(id => /^[0-9a-f]{64}$/.test(id));
}
async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
