/** How many seats a request takes (apiserver pkg/util/flowcontrol/request): a list by the bytes it will show, a write by the watchers that will hear of it. */
import type { RequestInfo } from "../request-info.ts";
import { isTrue } from "../request-info.ts";

const bytesPerSeat = 100_000;
/** Lists are sent in pieces from memory: however long, no more than this is held at once. */
const listBytesMax = 1_000_000;
const listSeatsMax = 100;
const watchesPerSeat = 10;
const writeSeatsMax = 10;

export type Stored = { readonly count: number; readonly averageBytes: number };
export type WorkFacts = {
  /** What is stored of the resource; `undefined`: nothing is known. */
  readonly stored: (info: RequestInfo) => Stored | undefined;
  /** Watches that a write of this object wakes. */
  readonly watches: (info: RequestInfo) => number;
};

/** `seatsMax` of the level; 0: no limit of its own. */
export function seatsOf(info: RequestInfo, seatsMax: number, facts: WorkFacts): number {
  switch (info.verb) {
    case "list":
    case "watch": return info.resourceRequest ? listSeats(info, seatsMax, facts) : 1;
    case "create":
    case "update":
    case "patch":
    case "delete": return writeSeats(info, seatsMax, facts);
    default: return 1;
  }
}

function listSeats(info: RequestInfo, seatsMax: number, { stored }: WorkFacts): number {
  const { query } = info;
  if (info.verb === "watch" && !startsWithState(query)) return 1;
  const known = stored(info);
  if (known === undefined) return 1;
  const limit = Number(query.get("limit") ?? 0);
  const objects = info.name !== "" ? 1 : limit > 0 && limit < known.count ? limit : known.count;
  return bounded(Math.ceil(Math.min(objects * known.averageBytes, listBytesMax) / bytesPerSeat), seatsMax, listSeatsMax);
}

/** The watch begins with what there is. */
function startsWithState(query: URLSearchParams): boolean {
  const version = query.get("resourceVersion") ?? "";
  return version === "" || version === "0" || isTrue(query.get("sendInitialEvents"));
}

function writeSeats(info: RequestInfo, seatsMax: number, { watches }: WorkFacts): number {
  if (info.resource === "serviceaccounts" && info.subresource === "token") return 1;
  const count = watches(info);
  return count < watchesPerSeat ? 1 : bounded(Math.ceil(count / watchesPerSeat), seatsMax, writeSeatsMax);
}

const bounded = (seats: number, levelMax: number, max: number): number => Math.max(1, Math.min(seats, levelMax === 0 ? max : Math.min(levelMax, max)));

/** Open watches by what they look at: a whole resource, a namespace of it, or one object. */
export class WatchCounts {
  readonly #counts = new Map<string, number>();

  add(info: RequestInfo, difference: 1 | -1): void {
    // A node's watch of its own pods hears of few of them.
    if (info.resource === "pods" && /(^|,)spec\.nodeName==?[^,]/.test(info.query.get("fieldSelector") ?? "")) return;
    const key = keyOf(info, info.namespace, info.name);
    const count = (this.#counts.get(key) ?? 0) + difference;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
  of(info: RequestInfo): number {
    if (this.#counts.size === 0) return 0;
    let count = this.#counts.get(keyOf(info, "", "")) ?? 0;
    if (info.namespace !== "") count += this.#counts.get(keyOf(info, info.namespace, "")) ?? 0;
    if (info.name !== "") count += this.#counts.get(keyOf(info, info.namespace, info.name)) ?? 0;
    return count;
  }
}
const keyOf = ({ group, resource }: RequestInfo, namespace: string, name: string): string => `${group}/${resource}/${namespace}/${name}`;
