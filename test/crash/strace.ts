/** A recorder that sees the real system calls: it proves the syncs as well as the writes. Needs strace (Debian: strace) and the right to trace a child. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Operation } from "./images.ts";

const calls = "openat,close,write,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,rename";
const child = new URL("./child.ts", import.meta.url).pathname;

/** Runs the workload in a traced child; what it did to the files of its directory and what it said, in order. */
export function recordWithStrace(options: { readonly seed: number; readonly commits: number }): Operation[] {
  const scratch = mkdtempSync(join(tmpdir(), "timonier-strace-"));
  try {
    const directory = join(scratch, "store");
    const trace = join(scratch, "trace");
    // Only the main thread is traced: SQLite and the notes are written by it, so their order is the trace's.
    execFileSync("strace", ["-xx", "-s", "4000000", "-e", `trace=${calls}`, "-o", trace, process.execPath, child, directory, String(options.seed), String(options.commits)], { stdio: ["ignore", "ignore", "inherit"] });
    return parseStrace(readFileSync(trace, "latin1"), directory);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The operations on files of `directory`, and the lines written to standard output as notes. */
export function parseStrace(trace: string, directory: string): Operation[] {
  const operations: Operation[] = [];
  const open = new Map<number, string>();
  const known = new Set<string>();
  const nameOf = (path: string) => (path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined);
  for (const line of trace.split("\n")) {
    const match = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(line);
    if (match === null || Number(match[3]) < 0) continue;
    const [, call = "", args = "", returned = ""] = match;
    const strings = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = ""]) => Buffer.from(hex.replaceAll("\\x", ""), "hex"));
    const text = strings[0]?.toString() ?? "";
    const fd = Number(/^\d+/.exec(args)?.[0] ?? -1);
    const file = open.get(fd);
    switch (call) {
      case "openat": {
        const name = text === directory ? "." : nameOf(text);
        if (name === undefined) break;
        open.set(Number(returned), name);
        if (name === ".") break;
        if (args.includes("O_CREAT") && !known.has(name)) operations.push({ type: "create", file: name });
        if (args.includes("O_TRUNC")) operations.push({ type: "truncate", file: name, size: 0 });
        known.add(name);
        break;
      }
      case "close":
        open.delete(fd);
        break;
      case "write":
        if (fd === 1) for (const note of text.split("\n").filter(Boolean)) operations.push({ type: "note", text: note });
        else if (file !== undefined && file !== "." && !isReserve(file)) throw new Error(`a write without an offset to ${file}: the recorder does not follow positions`);
        break;
      case "pwrite64":
        if (file !== undefined) operations.push({ type: "write", file, offset: Number(/(\d+)$/.exec(args)?.[1]), bytes: strings[0]!.subarray(0, Number(returned)) });
        break;
      case "fsync":
      case "fdatasync":
        if (file !== undefined) operations.push(file === "." ? { type: "sync-directory" } : { type: "sync", file });
        break;
      case "ftruncate":
        if (file !== undefined) operations.push({ type: "truncate", file, size: Number(/(\d+)$/.exec(args)?.[1]) });
        break;
      case "unlink":
      case "unlinkat": {
        const name = nameOf(text);
        if (name === undefined || !known.delete(name)) break;
        operations.push({ type: "unlink", file: name });
        break;
      }
      case "rename":
        throw new Error("the store renames a file: teach the recorder about it");
    }
  }
  return operations;
}

// Its content means nothing, and it is written with plain writes.
function isReserve(file: string): boolean {
  return file.endsWith("-reserve");
}
