/** Writes pods' statuses to the API: the newest only, one write at a time for each pod, until it is there. */
import { isApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import { isObject, sameJson, type Json, type JsonObject } from "../base/json.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Client } from "../client/client.ts";
import { ownConditions } from "./conditions.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { PodStatus } from "../kinds/core/podstatus.ts";

const retryFirstMs = 100;
const retryMaxMs = 10_000;
/** Pods written at a time; the API server is not to be flooded by a restarted agent. */
const writesMax = 8;

type Entry = { pod: Pod; wanted: PodStatus; written: PodStatus; running: boolean; readonly waiting: (() => void)[] };

export class StatusWriter {
  readonly #options: { readonly client: Client; readonly clock: Clock; readonly log: Log };
  readonly #entries = new Map<string, Entry>();
  readonly #turns: (() => void)[] = [];
  readonly #signal: AbortSignal;
  #writing = 0;
  constructor(options: { readonly client: Client; readonly clock: Clock; readonly log: Log }, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** The status computed last; the API's when none has been. */
  of(pod: Pod): PodStatus {
    return this.#entries.get(pod.metadata.uid ?? "")?.wanted ?? pod.status;
  }
  /** `pod` is as the API has it: what differs from its status is written. */
  set(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata.uid ?? "";
    const known = this.#entries.get(uid);
    if (known) {
      known.pod = pod;
      known.wanted = status;
    } else this.#entries.set(uid, { pod, wanted: status, written: pod.status, running: false, waiting: [] });
    const entry = this.#entries.get(uid)!;
    if (!entry.running && patchOf(entry.written, status) !== undefined) void this.#write(uid, entry);
  }
  /** Resolves when the API has the status set last, or the pod is gone. */
  settled(podUID: string): Promise<void> {
    const entry = this.#entries.get(podUID);
    return !entry?.running ? Promise.resolve() : new Promise(resolve => entry.waiting.push(resolve));
  }
  forget(podUID: string): void {
    const entry = this.#entries.get(podUID);
    this.#entries.delete(podUID);
    for (const wake of entry?.waiting ?? []) wake();
  }

  async #write(uid: string, entry: Entry): Promise<void> {
    entry.running = true;
    if (this.#writing >= writesMax) await new Promise<void>(resolve => this.#turns.push(resolve));
    else this.#writing++;
    let wait = retryFirstMs;
    while (!this.#signal.aborted && this.#entries.get(uid) === entry) {
      const status = entry.wanted;
      const patch = patchOf(entry.written, status);
      if (patch === undefined) break;
      const { namespace = "", name = "" } = entry.pod.metadata;
      try {
        await this.#options.client.patch(Pod, namespace, name, { type: "strategic", body: { metadata: { uid }, status: patch } }, { subresource: "status" });
        entry.written = status;
        wait = retryFirstMs;
      } catch (error) {
        // Gone, or another pod of the same name: nobody is left to tell.
        if (isApiError(error, "NotFound") || isApiError(error, "Conflict")) {
          this.#entries.delete(uid);
          break;
        }
        this.#options.log.warn("a pod's status could not be written", { pod: `${namespace}/${name}`, error: messageOf(error), waitMs: wait });
        await this.#options.clock.sleep(wait, this.#signal);
        wait = Math.min(wait * 2, retryMaxMs);
      }
    }
    entry.running = false;
    const next = this.#turns.shift();
    if (next) next();
    else this.#writing--;
    for (const wake of entry.waiting.splice(0)) wake();
  }
}

/** Lists that a strategic-merge patch would merge, although kubelet owns them whole. */
const replaced = new Set(["podIPs", "hostIPs"]);

/** The strategic-merge patch of the status fields that differ; conditions one by one, so that those of others stay. Undefined: nothing differs. */
export function patchOf(before: PodStatus, after: PodStatus): { readonly [field: string]: Json } | undefined {
  const patch: { [field: string]: Json } = {};
  const old = before as unknown as { readonly [field: string]: Json | undefined };
  for (const [field, value] of Object.entries(after as unknown as { readonly [field: string]: Json })) {
    if (field === "conditions") {
      const known = (old["conditions"] as readonly Json[] | undefined) ?? [];
      const changed = (value as readonly Json[]).filter(condition => !sameCondition(known, condition));
      const left = known.filter(condition => isObject(condition) && ownConditions.has(String(condition["type"])) && !(value as readonly Json[]).some(each => isObject(each) && each["type"] === condition["type"]));
      // Merged by type: what a condition no longer says must be taken away by name.
      if (changed.length + left.length > 0)
        patch["conditions"] = [...changed.map(condition => ({ ...gone, ...(condition as JsonObject) })), ...left.map(condition => ({ type: (condition as JsonObject)["type"]!, $patch: "delete" }))];
    } else if (!sameJson(old[field], value)) patch[field] = replaced.has(field) ? [{ $patch: "replace" }, ...(value as readonly Json[])] : value;
  }
  for (const field of own) if (old[field] !== undefined && !(field in after)) patch[field] = null;
  return Object.keys(patch).length === 0 ? undefined : patch;
}
/** Fields that this agent takes away when they no longer hold. */
const own = ["message", "reason", "podIP", "podIPs", "initContainerStatuses", "ephemeralContainerStatuses"];

const gone = { reason: null, message: null } as const;

function sameCondition(all: readonly Json[], wanted: Json): boolean {
  if (!isObject(wanted)) return false;
  const found = all.find(condition => isObject(condition) && condition["type"] === wanted["type"]);
  return found !== undefined && sameJson(withoutEmpty(found), withoutEmpty(wanted));
}
function withoutEmpty(condition: Json): Json {
  return isObject(condition) ? Object.fromEntries(Object.entries(condition).filter(([, value]) => value !== null && value !== "")) : condition;
}
