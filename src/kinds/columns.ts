/** What the columns of many kinds share: names, ages, selectors and container lists as upstream's printers write them (kubernetes pkg/printers/internalversion). */
import type { Column } from "./kind.ts";
import type { LabelSelector } from "./meta/labelselector.ts";

type WithMeta = { readonly metadata: { readonly name: string; readonly creationTimestamp?: string | undefined } };

export const nameColumn: Column<WithMeta> = { name: "Name", type: "string", format: "name", doc: "Name of the object.", cell: object => object.metadata.name };
export const ageColumn: Column<WithMeta> = { name: "Age", type: "string", doc: "Time since the object was created.", cell: (object, now) => ageOf(object.metadata.creationTimestamp, now) };
export const createdAtColumn: Column<WithMeta> = { name: "Created At", type: "date", doc: "When the object was created.", cell: object => object.metadata.creationTimestamp ?? null };

/** Time since `time`, as kubectl shows it. */
export function ageOf(time: string | null | undefined, now: number): string {
  if (time === undefined || time === null) return "<unknown>";
  return humanDuration(now - Date.parse(time));
}

/** A span in milliseconds in two units at most: apimachinery pkg/util/duration HumanDuration. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return two(days, "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return `${days}d`;
  if (hours < 24 * 365 * 8) return two(Math.floor(days / 365), "y", days % 365, "d");
  return `${Math.floor(days / 365)}y`;
}
const two = (large: number, largeUnit: string, small: number, smallUnit: string): string => (small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`);

type Template = { readonly spec: { readonly containers: readonly { readonly name: string; readonly image?: string | undefined }[] } };
/** The wide columns of everything that has a pod template. */
export function templateColumns<T>(template: (object: T) => Template | undefined): readonly Column<T>[] {
  return [
    { name: "Containers", type: "string", priority: 1, doc: "Names of the template's containers.", cell: object => (template(object)?.spec.containers ?? []).map(({ name }) => name).join(",") },
    { name: "Images", type: "string", priority: 1, doc: "Images of the template's containers.", cell: object => (template(object)?.spec.containers ?? []).map(({ image }) => image ?? "").join(",") },
  ];
}

/** `a=b,c=d`, or `<none>`. */
export function labelsText(labels: { readonly [key: string]: string } | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`).sort();
  return pairs.length === 0 ? "<none>" : pairs.join(",");
}
/** A selector as it would be typed: `a=b,c in (d,e),!f`; empty for one that selects everything. */
export function selectorText(selector: LabelSelector | undefined): string {
  const requirements: (readonly [string, string])[] = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => [key, `${key}=${value}`]);
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    const list = `(${[...values].sort().join(",")})`;
    requirements.push([key, operator === "In" ? `${key} in ${list}` : operator === "NotIn" ? `${key} notin ${list}` : operator === "Exists" ? key : `!${key}`]);
  }
  return requirements.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, text]) => text).join(",");
}
export const selectorOrNone = (selector: LabelSelector | undefined): string => selectorText(selector) || "<none>";

/** A list cut after three, with how many there are beyond. */
export function upToThree(items: readonly string[], total: number): string {
  const shown = items.slice(0, 3).join(",");
  return total > 3 ? `${shown} + ${total - 3} more...` : shown;
}

const accessModeNames: readonly (readonly [string, string])[] = [["ReadWriteOnce", "RWO"], ["ReadOnlyMany", "ROX"], ["ReadWriteMany", "RWX"], ["ReadWriteOncePod", "RWOP"]];
/** `RWO,ROX`: access modes as upstream abbreviates them. */
export const accessModesText = (modes: readonly string[] | undefined): string => accessModeNames.filter(([mode]) => modes?.includes(mode)).map(([, short]) => short).join(",");
