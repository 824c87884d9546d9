/** Times as they stand in objects: RFC 3339 in UTC. `ms` is milliseconds since the epoch. */

/** `metav1.Time`: whole seconds, rounded down. */
export function timeOf(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  // Four times are written for every object that is made, most often of the same second.
  if (seconds !== lastSeconds) [lastSeconds, lastText] = [seconds, `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`];
  return lastText;
}
let [lastSeconds, lastText] = [NaN, ""];
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
