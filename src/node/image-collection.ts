/** Removes images that no container uses, longest unused first, when their disk is nearly full (pkg/kubelet/images/image_gc_manager.go). */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { PodState } from "./runtime.ts";
import type { ContainerRuntime, ImageState } from "./runtime.ts";
import type { DiskUsage } from "./usage.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { containersOf } from "./containers.ts";
import type { AgentFigures } from "./figures.ts";

/** kubelet's defaults: imageGCHighThresholdPercent, imageGCLowThresholdPercent, imageMinimumGCAge; images are looked at every five minutes. */
export const highPercent = 85;
export const lowPercent = 80;
export const ageMsMin = 120_000;
export const collectMs = 300_000;

type Options = {
  readonly runtime: Pick<ContainerRuntime, "images" | "removeImage">;
  readonly clock: Clock;
  readonly figures?: AgentFigures;
  readonly log: Log;
  readonly disk: () => Promise<DiskUsage>;
  /** Every pod of this node, with what the runtime has of it. */
  readonly pods: () => readonly { readonly pod: Pod; readonly state: PodState | undefined }[];
  /** Never removed: the sandbox's own. */
  readonly pinned: readonly string[];
  readonly tellNode: (reason: string, message: string) => void;
};

export class ImageCollection {
  readonly #options: Options;
  /** By image: when it was first and last seen (in use). Only of images that are there. */
  #records = new Map<string, { readonly firstSeen: number; lastUsed: number }>();
  constructor(options: Options) {
    this.#options = options;
  }

  /** Frees what is above the upper threshold, down to the lower one. */
  async collect(): Promise<void> {
    const { disk, tellNode, log } = this.#options;
    const unused = await this.#unused();
    const { capacity, available: free } = await disk();
    if (capacity === 0) return tellNode("InvalidDiskCapacity", "invalid capacity 0 on image filesystem");
    const available = Math.min(free, capacity);
    const usedPercent = 100 - Math.trunc((available * 100) / capacity);
    if (usedPercent < highPercent) return;
    const wanted = Math.trunc((capacity * (100 - lowPercent)) / 100) - available;
    log.info("the disk of images is nearly full", { usedPercent, wantedBytes: wanted });
    const freed = await this.#free(unused, wanted);
    if (freed < wanted)
      tellNode("FreeDiskSpaceFailed", `Insufficient free disk space on the node's image filesystem (${usedPercent}% of ${sizeText(capacity)} used). Failed to free sufficient space by deleting unused images (freed ${freed} bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data.`);
  }

  /** Frees all that nobody uses; gives how many bytes their sizes come to. */
  async freeAll(): Promise<number> {
    return this.#free(await this.#unused(), Infinity);
  }

  async #unused(): Promise<readonly ImageState[]> {
    const { runtime, pods, clock, pinned } = this.#options;
    const now = clock.monotonic();
    const images = await runtime.images();
    const used = new Set(pods().flatMap(({ pod, state }) => [
      ...(state?.containers ?? []).flatMap(({ image, imageRef }) => [image, imageRef]),
      // What is about to be started, and what is mounted.
      ...(pod.status.phase === "Succeeded" || pod.status.phase === "Failed" ? [] : [...containersOf(pod).map(({ container }) => container.image ?? ""), ...(pod.spec.volumes ?? []).map(({ image }) => image?.reference ?? "")]),
    ]));
    const names = ({ id, tags, digests }: ImageState): readonly string[] => [id, ...tags, ...digests];
    const isUsed = (image: ImageState): boolean => names(image).some(name => used.has(name) || used.has(name.replace(/:latest$/, "")) || used.has(name.replace(/^docker\.io\/(library\/)?/, "")));
    const records = new Map<string, { firstSeen: number; lastUsed: number }>();
    const unused: ImageState[] = [];
    for (const image of images) {
      const record = this.#records.get(image.id) ?? { firstSeen: now, lastUsed: -Infinity };
      records.set(image.id, record);
      if (isUsed(image)) record.lastUsed = now;
      else if (!image.pinned && !names(image).some(name => pinned.includes(name))) unused.push(image);
    }
    this.#records = records;
    const order = (image: ImageState) => records.get(image.id)!;
    return unused.filter(image => now - order(image).firstSeen >= ageMsMin).sort((a, b) => order(a).lastUsed - order(b).lastUsed || order(a).firstSeen - order(b).firstSeen);
  }
  async #free(images: readonly ImageState[], wanted: number): Promise<number> {
    const { runtime, log } = this.#options;
    let freed = 0;
    for (const { id, size, tags } of images) {
      if (freed >= wanted) break;
      log.info("removing an image that nobody uses", { image: tags[0] ?? id, bytes: size });
      await runtime.removeImage(id);
      this.#records.delete(id);
      this.#options.figures?.collectedImages.add(1, "space");
      freed += size;
    }
    return freed;
  }
}

function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const index = Math.min(4, bytes < 1024 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return index === 0 ? `${bytes} B` : `${(bytes / 1024 ** index).toFixed(1)} ${units[index]}`;
}
