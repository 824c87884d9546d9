/** The ingress proxy as a process of its own: it gets tables over a pipe, holds no credentials, and ends with whoever feeds it. */
import { spawn } from "node:child_process";
import type { Ports, Proxy } from "../ingress/controller.ts";
import type { Table } from "../ingress/routes.ts";

type ToChild = { readonly type: "table"; readonly table: Table };
type FromChild = { readonly type: "listening"; readonly ports: Ports } | { readonly type: "failed"; readonly error: string };

/** Starts this very program again with `args`. */
export function spawnIngressProxy(args: readonly string[]): Proxy {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...args], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  let fail: (error: Error) => void = () => undefined;
  const listening = new Promise<Ports>((resolve, reject) => {
    fail = reject;
    child.on("message", (message: FromChild) => { if (message.type === "listening") resolve(message.ports); else reject(new Error(message.error)); });
  });
  const ended = new Promise<void>(resolve => {
    child.on("error", error => { fail(error); resolve(); });
    child.on("exit", () => { fail(new Error("the ingress proxy ended before it listened")); resolve(); });
  });
  return {
    listening, ended,
    setTable: table => { if (child.connected) child.send({ type: "table", table } satisfies ToChild, () => undefined); },
    close: () => { if (child.connected) child.disconnect(); },
  };
}

/** The other end: calls `setTable` for each table and resolves when the parent is gone. */
export async function followParent(start: () => Promise<{ readonly ports: Ports; setTable(table: Table): void }>): Promise<void> {
  const gone = new Promise<void>(resolve => process.once("disconnect", resolve));
  let early: Table | undefined;
  let take = (table: Table): void => { early = table; };
  process.on("message", (message: ToChild) => take(message.table));
  const tell = (message: FromChild): void => { if (process.connected) process.send?.(message); };
  try {
    const proxy = await start();
    take = table => proxy.setTable(table);
    if (early) proxy.setTable(early);
    tell({ type: "listening", ports: proxy.ports });
  } catch (error) {
    tell({ type: "failed", error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
  await gone;
}
