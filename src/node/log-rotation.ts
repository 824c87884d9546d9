/** Keeps containers' logs small: 10 MiB, five files (pkg/kubelet/logs/container_log_manager.go; kubelet's defaults). */
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { timeOf } from "../base/time.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { logPathOf } from "./container-config.ts";
import type { Files } from "./host.ts";
import type { ContainerRuntime, PodState } from "./runtime.ts";
import type { NodeFacts } from "./sandbox-config.ts";
import { restartCountOf } from "./status.ts";

export const logBytesMax = 10 * 2 ** 20;
export const logFilesMax = 5;

type Tools = { readonly files: Files; readonly runtime: ContainerRuntime; readonly node: NodeFacts; readonly clock: Clock; readonly log: Log };

export async function rotateLogs(pod: Pod, state: PodState, { files, runtime, node, clock, log }: Tools): Promise<void> {
  for (const container of state.containers) {
    if (container.state !== "running") continue;
    const path = logPathOf(pod, container.name, restartCountOf(container), node);
    if ((await files.size(path)) <= logBytesMax) continue;
    const stamp = timeOf(clock.now()).replace(/[-:Z]/g, "").replace("T", "-");
    try {
      await files.rename(path, `${path}.${stamp}`);
      try {
        await runtime.reopenLog(container.id);
      } catch (error) {
        // Without a new file the container would write into the old one for ever: take the name back and try again later.
        await files.rename(`${path}.${stamp}`, path);
        throw error;
      }
      const folder = path.slice(0, path.lastIndexOf("/"));
      const base = path.slice(folder.length + 1);
      const rotated = (await files.list(folder)).filter(name => name.startsWith(`${base}.`)).sort();
      for (const name of rotated.slice(0, Math.max(0, rotated.length - (logFilesMax - 1)))) await files.removeTree(`${folder}/${name}`);
    } catch (error) {
      log.warn("a container's log could not be rotated", { path, error: messageOf(error) });
    }
  }
}
