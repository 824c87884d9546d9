/** What containers leave behind when they end: their termination file, or the end of their log. */
import type { Pod } from "../kinds/core/pod.ts";
import { logPathOf } from "./container-config.ts";
import { parseLogLine } from "./log-line.ts";
import type { PodServices } from "./pod-services.ts";
import { annotation, type ContainerState, type PodState } from "./runtime.ts";
import { restartCountOf } from "./status.ts";

/** Upstream's limits (pkg/kubelet/container: MaxContainerTerminationMessageLength and its neighbours). */
const messageBytesMax = 4096;
const logBytesMax = 2048;
const logLinesMax = 80;
/** Of all containers of a pod together. */
const podBytesMax = 12 * 1024;
const text = new TextDecoder();

export class TerminationMessages {
  readonly #services: Pick<PodServices, "host" | "volumes" | "node">;
  readonly #known = new Map<string, string>();
  constructor(services: Pick<PodServices, "host" | "volumes" | "node">) {
    this.#services = services;
  }
  get known(): ReadonlyMap<string, string> {
    return this.#known;
  }

  /** Reads what is not known yet: each ended container once. */
  async read(pod: Pod, { containers }: PodState): Promise<void> {
    const share = Math.max(1, Math.floor(podBytesMax / new Set(containers.map(({ name }) => name)).size));
    for (const container of containers)
      if (container.state === "exited" && !this.#known.has(container.id)) this.#known.set(container.id, (await this.#message(pod, container)).slice(0, share));
    for (const id of this.#known.keys()) if (!containers.some(container => container.id === id)) this.#known.delete(id);
  }

  async #message(pod: Pod, container: ContainerState): Promise<string> {
    const { files } = this.#services.host;
    const count = restartCountOf(container);
    if ((container.annotations[annotation.terminationMessagePath] ?? "") !== "") {
      const left = await files.readTail(this.#services.volumes.terminationPath(pod.metadata.uid ?? "", container.name, count), messageBytesMax);
      if (left && left.length > 0) return text.decode(left);
    }
    if (container.annotations[annotation.terminationMessagePolicy] !== "FallbackToLogsOnError" || container.exitCode === 0) return "";
    // Each line carries a time and a stream name: read more, to have enough of the text.
    const log = await files.readTail(logPathOf(pod, container.name, count, this.#services.node), logBytesMax * 4);
    const lines = text.decode(log ?? new Uint8Array()).split("\n").slice(-logLinesMax - 1).flatMap(line => {
      const parsed = parseLogLine(line);
      return parsed ? [parsed.text + (parsed.partial ? "" : "\n")] : [];
    });
    return lines.join("").slice(-logBytesMax);
  }
}
