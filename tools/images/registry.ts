/** Debian's docker-registry on the loopback, for tests. */
import { spawn } from "node:child_process";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Registry = { readonly address: string; readonly pid: number; stop(): Promise<void> };

/** Starts it on 127.0.0.1:`port` with its files under `folder`, or uses the one that answers there already (then `stop` leaves it). */
export async function startRegistry(folder: string, port = 5000): Promise<Registry> {
  const address = `127.0.0.1:${port}`;
  if (await answers(address)) return { address, pid: 0, stop: async () => undefined };
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(join(folder, "config.yml"), `version: 0.1\nlog: {level: warn, accesslog: {disabled: true}}\nstorage:\n  filesystem: {rootdirectory: ${join(folder, "data")}}\n  delete: {enabled: true}\nhttp: {addr: "${address}"}\n`);
  const log = openSync(join(folder, "registry.log"), "a");
  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: ["ignore", log, log], detached: true });
  await new Promise<void>((done, fail) => { child.once("spawn", done); child.once("error", fail); });
  child.unref();
  for (let left = 200; !await answers(address); left--) {
    if (left === 0) throw new Error(`docker-registry does not answer on ${address}; see ${join(folder, "registry.log")}`);
    await new Promise(done => setTimeout(done, 25));
  }
  // Another one was there before ours, but this process was too busy to hear its answer in time.
  if (child.exitCode !== null) return { address, pid: 0, stop: async () => undefined };
  return {
    address, pid: child.pid!,
    stop: async () => {
      child.ref();
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await new Promise(done => child.once("exit", done));
    },
  };
}

async function answers(address: string): Promise<boolean> {
  try {
    return (await fetch(`http://${address}/v2/`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false; // nobody listens yet
  }
}
