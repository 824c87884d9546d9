/** The node's files for pods: projected volumes, tmpfs, sub-paths that cannot be tricked out of their volume, and their removal. */
import { constants, type Stats } from "node:fs";
import { chmod, chown, lchown, mkdir, open, readdir, readFile, readlink, rename, rm, stat, symlink, lstat, writeFile, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Files, Payload } from "../node/host.ts";
import { mustCommand } from "./command.ts";

/** As Linux itself: more links than this are a loop. */
const linksMax = 40;
const openPath = 0x200000; // O_PATH, which node:fs does not name
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_DIRECTORY } = constants;

export function nodeFiles(): Files {
  return {
    makeFolder: async (path, mode) => {
      await mkdir(path, { recursive: true, mode: 0o750 });
      await chmod(path, mode);
    },
    publish,
    writeFile: async (path, content, mode) => {
      await writeFile(path, content, { mode, flag: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | O_NOFOLLOW });
      await chmod(path, mode);
    },
    readTail,
    setGroup,
    mountTmpfs: async (path, bytesMax) => {
      if ((await mountsBeneath(path)).includes(path)) return;
      await mustCommand("mount", ["-t", "tmpfs", "-o", `size=${Math.max(4096, Math.floor(bytesMax))},mode=0777`, "tmpfs", path]);
    },
    mountReadOnly: async ({ type, source, options }, target) => {
      if ((await mountsBeneath(target)).includes(target)) return;
      const flags = [...options.filter(option => option !== "rw" && option !== "ro" && option !== "rbind"), ...(type === "bind" ? ["bind"] : []), "ro", "noexec", "nosuid", "nodev"].join(",");
      await mustCommand("mount", ["--no-canonicalize", ...(type === "bind" ? [] : ["-t", type]), "-o", flags, source, target]);
    },
    bindBeneath, checkHostPath, removeTree,
    list: async folder => (await unlessMissing(readdir(folder))) ?? [],
    size: async path => (await unlessMissing(stat(path)))?.size ?? 0,
    rename,
  };
}

/** Undefined where there is no such file. */
async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? "");
}

/**
 * A folder whose files change all at once (upstream: pkg/volume/util/atomic_writer.go):
 *
 *     key -> ..data/key        ..data -> ..2026_11_20_12_00_00.1     ..2026_11_20_12_00_00.1/key
 */
async function publish(folder: string, payload: Payload, group: number | undefined): Promise<boolean> {
  const current = await unlessMissing(readlink(`${folder}/..data`));
  if (current !== undefined && await holds(`${folder}/${current}`, payload)) return false;
  const fresh = `..${new Date().toISOString().replace(/[-T:]/g, "_").replace("Z", "")}${String(process.hrtime.bigint() % 1_000_000n).padStart(6, "0")}`;
  const root = `${folder}/${fresh}`;
  await mkdir(root, { mode: 0o755 });
  await chmod(root, 0o755);
  for (const [path, { content, mode, uid }] of payload) {
    const parts = path.split("/");
    if (path.startsWith("/") || parts.includes("..") || parts.includes("")) throw new Error(`"${path}" is not a relative path without ".."`);
    await mkdir(dirname(`${root}/${path}`), { recursive: true, mode: 0o755 });
    await writeFile(`${root}/${path}`, content, { mode, flag: "wx" });
    await chmod(`${root}/${path}`, group === undefined ? mode : mode | 0o440);
    if (uid !== undefined || group !== undefined) await chown(`${root}/${path}`, uid ?? 0, group ?? 0);
  }
  await rm(`${folder}/..data_tmp`, { force: true });
  await symlink(fresh, `${folder}/..data_tmp`);
  await rename(`${folder}/..data_tmp`, `${folder}/..data`);
  const names = new Set([...payload.keys()].map(path => path.split("/")[0]!));
  for (const name of names) {
    if ((await unlessMissing(readlink(`${folder}/${name}`))) !== undefined) continue;
    await symlink(`..data/${name}`, `${folder}/${name}`);
  }
  for (const name of await readdir(folder))
    if (!names.has(name) && name !== "..data" && name !== fresh) await rm(`${folder}/${name}`, { recursive: true, force: true });
  return true;
}
async function holds(folder: string, payload: Payload): Promise<boolean> {
  const files = (await unlessMissing(readdir(folder, { recursive: true, withFileTypes: true }))) ?? [];
  if (files.filter(entry => entry.isFile()).length !== payload.size) return false;
  for (const [path, { content }] of payload) {
    const found = await unlessMissing(readFile(`${folder}/${path}`));
    if (!found || !found.equals(content)) return false;
  }
  return payload.size > 0 || files.length === 0;
}

async function readTail(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const { size } = await regular(file);
    const bytes = Buffer.alloc(Math.min(size, bytesMax));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, Math.max(0, size - bytesMax));
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw error;
  } finally {
    await file?.close();
  }
}
async function regular(file: FileHandle): Promise<Stats> {
  const found = await file.stat();
  if (!found.isFile()) throw new Error("not a regular file");
  return found;
}

async function setGroup(path: string, group: number, readOnly: boolean, unlessRight = false): Promise<void> {
  const found = await lstat(path);
  const wanted = (readOnly ? 0o440 : 0o660) | (found.isDirectory() ? 0o2110 : 0);
  if (unlessRight && found.isDirectory() && found.gid === group && (found.mode & wanted) === wanted) return;
  // The folder itself last: what it shows is true of all beneath, also after a crash.
  if (found.isDirectory()) for (const name of await readdir(path)) await setGroup(`${path}/${name}`, group, readOnly);
  await lchown(path, found.uid, group);
  if (found.isSymbolicLink()) return;
  await chmod(path, (found.mode & 0o7777) | wanted);
}

/**
 * Opens step by step, each name within the folder opened before and never through a symlink: a link is read and its parts are walked
 * the same way, so that it cannot lead out of `root` however a container changes the volume meanwhile (CVE-2017-1002101, CVE-2021-25741).
 * What is missing is made with the volume's own mode, so that whoever may write there may write here (upstream: kubelet_pods.go, makeMounts).
 */
export async function openBeneath(root: string, subPath: string): Promise<FileHandle> {
  const stack: FileHandle[] = [await open(root, openPath | O_DIRECTORY)];
  const rest = subPath.split("/").filter(part => part !== "" && part !== ".");
  let links = 0;
  try {
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      if (part === "..") {
        if (stack.length === 1) throw new Error(`subPath "${subPath}" leads out of its volume`);
        await stack.pop()!.close();
        continue;
      }
      const here = `/proc/self/fd/${stack.at(-1)!.fd}/${part}`;
      let next: FileHandle;
      try {
        next = await open(here, openPath | O_NOFOLLOW);
      } catch (error) {
        if (!isCode(error, "ENOENT")) throw error;
        const isOurs = await mkdir(here, { mode: 0o750 }).then(() => true, (failure: unknown) => { if (!isCode(failure, "EEXIST")) throw failure; return false; });
        next = await open(here, openPath | O_NOFOLLOW);
        if (isOurs && (await next.stat()).isDirectory()) await chmod(`/proc/self/fd/${next.fd}`, (await stack[0]!.stat()).mode & 0o7777);
      }
      stack.push(next);
      if (!(await next.stat()).isSymbolicLink()) continue;
      const target = await readlink(here);
      await stack.pop()!.close();
      if (target.startsWith("/")) throw new Error(`subPath "${subPath}" leads out of its volume`);
      if (++links > linksMax) throw new Error(`subPath "${subPath}" goes through too many links`);
      rest.unshift(...target.split("/").filter(each => each !== "" && each !== "."));
    }
    return stack.pop()!;
  } finally {
    for (const handle of stack) await handle.close();
  }
}

async function bindBeneath(root: string, subPath: string, target: string): Promise<void> {
  if ((await mountsBeneath(target)).includes(target)) await mustCommand("umount", ["--no-canonicalize", target]);
  const found = await openBeneath(root, subPath);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    if ((await found.stat()).isDirectory()) await mkdir(target, { recursive: true, mode: 0o750 });
    else await writeFile(target, "", { mode: 0o640 });
    // Mounted by its handle: what the name points to now does not matter any more.
    await mustCommand("mount", ["--no-canonicalize", "--bind", `/proc/${process.pid}/fd/${found.fd}`, target]);
  } finally {
    await found.close();
  }
}

async function checkHostPath(path: string, type: string): Promise<void> {
  if (type === "") return;
  let found = await unlessMissing(stat(path));
  if (!found && type === "DirectoryOrCreate") {
    await mkdir(path, { recursive: true, mode: 0o755 });
    found = await stat(path);
  } else if (!found && type === "FileOrCreate") {
    await writeFile(path, "", { flag: "wx", mode: 0o644 }).catch((error: unknown) => { if (!isCode(error, "EEXIST")) throw new Error(`open ${path}: no such file or directory`, { cause: error }); });
    found = await stat(path);
  }
  const checks: { readonly [type: string]: readonly [string, boolean] } = {
    Directory: ["directory", found?.isDirectory() ?? false], DirectoryOrCreate: ["directory", found?.isDirectory() ?? false], File: ["file", found?.isFile() ?? false], FileOrCreate: ["file", found?.isFile() ?? false],
    Socket: ["socket file", found?.isSocket() ?? false], CharDevice: ["character device", found?.isCharacterDevice() ?? false], BlockDevice: ["block device", found?.isBlockDevice() ?? false],
  };
  const [what, holdsTrue] = checks[type] ?? ["known type", false];
  if (!holdsTrue) throw new Error(`hostPath type check failed: ${path} is not a ${what}`);
}

/** Mount points at or beneath a path, deepest and newest first. */
export async function mountsBeneath(path: string): Promise<readonly string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  const points = lines.map(line => (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
  return points.filter(point => point === path || point.startsWith(`${path}/`)).reverse().sort((a, b) => b.length - a.length);
}

/** Unmounts first: a mount that stays would make the removal delete somebody's data. */
export async function removeTree(path: string): Promise<void> {
  for (const point of await mountsBeneath(path)) await mustCommand("umount", ["--no-canonicalize", "--lazy", point]);
  const left = await mountsBeneath(path);
  if (left.length > 0) throw new Error(`${left[0]} is still mounted, ${path} is not removed`);
  await rm(path, { recursive: true, force: true });
}
