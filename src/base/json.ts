/**
 * What JSON can say. Objects decoded from the wire may have the key `__proto__`: never assign user keys by index
 * (`target[key] = …`) on a plain object; use spread, `Object.fromEntries`, a `Map` or `setOwn`.
 */
export type Json = null | boolean | number | string | bigint | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets `target[key] = value` for any key, `__proto__` included. */
export function setOwn<T>(target: { [key: string]: T }, key: string, value: T): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** `object[key]`, but only what the object itself has. */
export function getOwn<T>(object: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Structural equality of two JSON values; key order does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every(key => Object.hasOwn(b, key) && sameJson(a[key], b[key]));
}

/** The same value, which nobody can change any more. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) for (const item of Object.values(Object.freeze(value))) deepFreeze(item);
  return value;
}

/** Puts a field of `next` back to what `previous` has. */
export function keepField(next: any, previous: any, name: string): void {
  if (previous[name] === undefined) delete next[name];
  else next[name] = previous[name];
}
