/** Which values CEL calls zero. */
import { Duration, List, Mapping, Optional, Timestamp, Uint, type Value } from "./values.ts";

export function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === "") return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof List || value instanceof Mapping) return value.size === 0;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Timestamp) return value.nanos === -62_135_596_800_000_000_000n;
  return value instanceof Optional && value.value === undefined;
}
