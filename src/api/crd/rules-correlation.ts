/** Finds for each part of a new object what it was in the old one, and whether it changed: rules that fail for what did not change only fail new objects (apiserver pkg/cel/common/equality.go). */
import { type Json, getOwn, isObject, sameJson } from "../../base/json.ts";
import type { Schema } from "./schema.ts";

export class Correlated {
  readonly #schema: Schema;
  readonly #value: Json;
  readonly #old: Json | undefined;
  #same: boolean | undefined;
  constructor(schema: Schema, value: Json, old: Json | undefined) {
    this.#schema = schema;
    this.#value = value;
    this.#old = old;
  }

  get unchanged(): boolean {
    return (this.#same ??= this.#old !== undefined && this.#compare(this.#old));
  }
  #compare(old: Json): boolean {
    const value = this.#value;
    if (Array.isArray(value)) {
      if (!Array.isArray(old) || old.length !== value.length) return false;
      if (this.#schema["x-kubernetes-list-type"] !== "map") return sameJson(value, old);
      return value.every((_, i) => this.index(i)?.unchanged === true);
    }
    if (!isObject(value)) return sameJson(value, old);
    return isObject(old) && Object.keys(value).length === Object.keys(old).length && Object.keys(value).every(name => this.key(name)?.unchanged === true);
  }

  key(name: string): Correlated | undefined {
    if (!isObject(this.#value) || !isObject(this.#old)) return undefined;
    const value = getOwn(this.#value, name), old = getOwn(this.#old, name);
    const { properties, additionalProperties } = this.#schema;
    const schema = (properties === undefined ? undefined : getOwn(properties, name)) ?? (isObject(additionalProperties) ? (additionalProperties as Schema) : undefined);
    return value === undefined || old === undefined || schema === undefined ? undefined : new Correlated(schema, value, old);
  }
  index(i: number): Correlated | undefined {
    const { items } = this.#schema;
    if (!Array.isArray(this.#value) || !Array.isArray(this.#old) || items === undefined) return undefined;
    const value = this.#value[i] as Json | undefined, old = value === undefined ? undefined : itemLike(this.#schema, this.#old, value);
    return old === undefined ? undefined : new Correlated(items, value!, old);
  }
}

/** The item of a list that has the same keys; `undefined` in lists whose items have none. */
export function itemLike(schema: Schema, list: readonly Json[], item: Json): Json | undefined {
  const keys = schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;
  if (keys === undefined || !isObject(item)) return undefined;
  const of = (key: string): Json | undefined => getOwn(item, key) ?? getOwn(schema.items?.properties ?? {}, key)?.default;
  // An item that lacks a key, or has one that is no scalar, is like none.
  if (keys.some(key => of(key) === undefined || typeof of(key) === "object")) return undefined;
  return list.find(other => isObject(other) && keys.every(key => (getOwn(other, key) ?? getOwn(schema.items?.properties ?? {}, key)?.default) === of(key)));
}
