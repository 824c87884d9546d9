/** Which volumes pods here want and have, and how long mounting took (pkg/kubelet/volumemanager/metrics, pkg/volume/util/metrics.go). */
import type { Clock } from "../base/clock.ts";
import type { Histogram, Metrics } from "../base/metrics.ts";

const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
type Held = { plugin: string; mounted: boolean };

export class VolumeTally {
  readonly #clock: Clock;
  readonly #pods = new Map<string, Map<string, Held>>();
  readonly #seconds: Histogram;
  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#seconds = metrics.histogram("storage_operation_duration_seconds", "Seconds until a volume was mounted, or until that failed.", buckets, ["volume_plugin", "operation_name", "status", "migrated"]);
    metrics.observedSeries("volume_manager_total_volumes", "Volumes of pods here: those that are mounted, and those that are to be.", ["plugin_name", "state"], () => {
      const counts = new Map<string, readonly [readonly [string, string], number]>();
      const add = (plugin: string, state: string): void => void counts.set(`${plugin} ${state}`, [[plugin, state], (counts.get(`${plugin} ${state}`)?.[1] ?? 0) + 1]);
      for (const volumes of this.#pods.values())
        for (const { plugin, mounted } of volumes.values()) {
          add(plugin, "desired_state_of_world");
          if (mounted) add(plugin, "actual_state_of_world");
        }
      return counts.values();
    });
  }

  /** A volume is being made ready; to be told what came of it. Undefined for one that is mounted: looking at it again is no operation. */
  mounting(podUID: string, volume: string, expected: string): ((plugin: string, status: "success" | "fail-unknown") => void) | undefined {
    const pod = this.#pods.get(podUID) ?? new Map<string, Held>();
    this.#pods.set(podUID, pod);
    const held = pod.get(volume) ?? { plugin: expected, mounted: false };
    pod.set(volume, held);
    if (held.mounted) return undefined;
    const began = this.#clock.monotonic();
    return (plugin, status) => {
      held.plugin = plugin;
      held.mounted = status === "success";
      this.#seconds.observe((this.#clock.monotonic() - began) / 1000, plugin, "volume_mount", status, "false");
    };
  }
  gone(podUID: string): void {
    this.#pods.delete(podUID);
  }
}
