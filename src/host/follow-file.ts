/** Notices when a file is replaced (we replace files by renaming: the folder tells). */
import { watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Replacing a file gives several events; one call is enough. */
const gatherMs = 20;

/** Calls `changed` after each replacement until `signal` aborts. */
export function followFile(path: string, changed: () => void, signal: AbortSignal): void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(dirname(path), { signal, persistent: false }, (_event, name) => {
    if (name !== basename(path)) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!signal.aborted) changed();
    }, gatherMs).unref();
  });
  // The folder itself is gone: the cluster is being deleted, and with it whoever follows.
  watcher.on("error", () => watcher.close());
}
