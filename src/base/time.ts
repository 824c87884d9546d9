/** Times as they stand in objects: RFC 3339 in UTC. `ms` is milliseconds since the epoch. */

/** `metav1.Time`: whole seconds, rounded down. */
export function timeOf(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
/** `metav1.MicroTime`: six digits. */
export function microTimeOf(ms: number): string {
  const micros = Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1000);
  return `${timeOf(ms).slice(0, 19)}.${String(micros).padStart(6, "0")}Z`;
}
/** Milliseconds since the epoch; `undefined` for an absent time. */
export function msOf(time: string): number;
export function msOf(time: string | null | undefined): number | undefined;
export function msOf(time: string | null | undefined): number | undefined {
  return time === undefined || time === null ? undefined : Date.parse(time);
}
