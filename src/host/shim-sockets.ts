/** Sockets of containerd's shims lie outside of its folders, under /run/containerd/s; a shim that is killed leaves its own behind. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const address = /^unix:\/\/(\/run\/containerd\/s\/[0-9a-f]{64})$/;

/** Removes the sockets that the bundles under containerd's `state` folder name. Only for when none of its shims is left. */
export function removeShimSockets(state: string, remove: (path: string) => void = path => rmSync(path, { force: true })): void {
  const bundles = join(state, "io.containerd.runtime.v2.task/k8s.io");
  if (!existsSync(bundles)) return;
  for (const bundle of readdirSync(bundles)) {
    const file = join(bundles, bundle, "address");
    const path = existsSync(file) ? address.exec(readFileSync(file, "utf8").trim())?.[1] : undefined;
    if (path !== undefined) remove(path);
  }
}
