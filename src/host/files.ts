/** Files that are either the old ones or the new ones after a crash at any line, never half of either. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { mustCommand } from "./command.ts";

export type FileToWrite = { readonly path: string; readonly content: string | Uint8Array; /** Default 0600. */ readonly mode?: number; /** Default: the process's. */ readonly owner?: { readonly uid: number; readonly gid: number } };

/**
 * Replaces files, each atomically: temporary file beside it, fsync, rename, fsync of the folder. Several are written side by side and each
 * folder is synced once, after all renames. Resolves when all are durable. Folders that are missing are made with mode 0700.
 */
export async function writeFilesAtomic(files: readonly FileToWrite[]): Promise<void> {
  const folders = [...new Set(files.map(file => dirname(file.path)))];
  for (const folder of folders) await makePrivateFolder(folder);
  await allOrFirstError(files.map(replaceFile));
  await allOrFirstError(folders.map(syncFolder));
}

export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  return writeFilesAtomic([{ path, content, mode }]);
}

/** Makes a folder and its missing parents with mode 0700, durably. One that exists keeps its mode. */
export async function makePrivateFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  // Every new folder's entry lies in its parent: sync from the first one made down to the last one's parent.
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await syncFolder(dirname(folder));
}

/** Makes all that was written to the file system of `path` durable; rejects when that takes longer. Needs coreutils: Node cannot ask for it. */
export async function syncFileSystem(path: string, timeoutMs: number): Promise<void> {
  await mustCommand("sync", ["--file-system", path], { timeoutMs });
}

/** Makes renames and removals inside a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function replaceFile({ path, content, mode = 0o600, owner }: FileToWrite): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.chmod(mode); // the umask must not widen or narrow what was asked for
      if (owner !== undefined && owner.uid !== process.getuid?.()) await handle.chown(owner.uid, owner.gid);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new Error(`writing ${path}`, { cause: error });
  }
}

/** Waits for all, so that nothing still runs when the first error is thrown. */
async function allOrFirstError(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find(result => result.status === "rejected");
  if (failed) throw failed.reason;
}
