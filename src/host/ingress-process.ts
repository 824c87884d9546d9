/**
 * The ingress proxy as a process of its own, fed by files: the server process writes `<folder>/table.json`, the proxy reads it, and says in
 * `<folder>/listening.json` where it listens. So either may end and come back without the other, and the proxy needs no credentials.
 */
import { watch } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { messageOf, type Log } from "../base/log.ts";
import type { Proxy } from "../ingress/controller.ts";
import type { Listening, Table } from "../ingress/table.ts";
import { daemonOf, startDaemon, stopDaemon } from "./daemon.ts";

const name = "ingress";
const stopGraceMs = 5_000;
export const ingressFolder = (runFolder: string): string => `${runFolder}/${name}`;

export type IngressDaemonOptions = { readonly args: readonly string[]; readonly runFolder: string; readonly logFile: string; /** Of this program; a proxy of another one is replaced. */ readonly version: string; readonly log: Log; readonly onListening: (listening: Listening) => void };

/** The server's end. The proxy outlives us, and `timonier down`: what runs goes on being served. */
export function ingressDaemon({ args, runFolder, logFile, version, log, onListening }: IngressDaemonOptions): Proxy {
  const folder = ingressFolder(runFolder);
  // One thing after the other: tables in their order, and no start while it is being stopped.
  let doing: Promise<void> = Promise.resolve();
  const then = (what: string, work: () => Promise<void>): void => {
    doing = doing.then(work).catch((error: unknown) => log.error(`the ingress proxy: ${what}`, { error: messageOf(error) }));
  };
  let following: { close(): void } | undefined;
  return {
    setTable: table => then("its table could not be handed over", async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // It outlived the program that it was: it may not understand our table.
      if (!following && (await daemonOf(name, runFolder)) && (await readFile(`${folder}/version`, "utf8").catch(() => "")) !== version) await stopDaemon(name, runFolder, stopGraceMs);
      following ??= followFile(folder, "listening.json", text => onListening(JSON.parse(text) as Listening), log);
      await replaceFile(`${folder}/table.json`, JSON.stringify(table));
      if (!(await daemonOf(name, runFolder))) await startDaemon({ name, args, runFolder, logFile });
    }),
    stop: () => then("it could not be stopped", async () => {
      following?.close();
      following = undefined;
      await stopDaemon(name, runFolder, stopGraceMs);
      await rm(folder, { recursive: true, force: true });
    }),
    close: () => { following?.close(); following = undefined; },
  };
}

/** The proxy's end: calls `take` with each table until `signal` aborts. */
export async function followTable(runFolder: string, version: string, take: (table: Table) => void, log: Log, signal: AbortSignal): Promise<void> {
  const folder = ingressFolder(runFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceFile(`${folder}/version`, version);
  const following = followFile(folder, "table.json", text => take(JSON.parse(text) as Table), log);
  await new Promise<void>(resolve => { if (signal.aborted) resolve(); else signal.addEventListener("abort", () => resolve(), { once: true }); });
  following.close();
}

export async function tellListening(runFolder: string, listening: Listening): Promise<void> {
  await replaceFile(`${ingressFolder(runFolder)}/listening.json`, JSON.stringify(listening));
}

/** Atomically: a reader sees the old text or the new one. It may hold keys of certificates. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Calls `take` with the file's text, now if it is there and whenever it has been replaced. */
function followFile(folder: string, file: string, take: (text: string) => void, log: Log): { close(): void } {
  let isReading = false;
  let isDirty = false;
  let last: string | undefined;
  const read = async (): Promise<void> => {
    isDirty = true;
    if (isReading) return;
    isReading = true;
    while (isDirty) {
      isDirty = false;
      try {
        const text = await readFile(`${folder}/${file}`, "utf8");
        if (text !== last) take(last = text);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") log.error(`${folder}/${file} could not be read`, { error: messageOf(error) });
      }
    }
    isReading = false;
  };
  const watcher = watch(folder, (_event, changed) => { if (changed === file) void read(); });
  watcher.on("error", error => log.error(`${folder} cannot be watched`, { error: messageOf(error) }));
  void read();
  return watcher;
}
