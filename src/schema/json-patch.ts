/** JSON patch, RFC 6902, with the latitude of the library that upstream uses (evanphx/json-patch v4). */
import { ApiError } from "../base/api-error.ts";
import { type Json, isObject, sameJson, setOwn } from "../base/json.ts";

/** Most operations in one patch (apiserver endpoints/handlers/patch.go, maxJSONPatchOperations). */
export const operationsMax = 10_000;
/** Most bytes that all `copy` operations of a patch may add (apiserver server/config.go, JSONPatchMaxCopyBytes). */
export const copyBytesMax = 3 * 1024 * 1024;

type Operation = { readonly [key: string]: Json };
type Container = Json[] | { [key: string]: Json };

/** An operation that does not apply. Clients are told only that the request is invalid, as upstream tells them. */
class DoesNotApply extends Error {}
class TestFailed extends DoesNotApply {}

/** `document` after all of `operations`, or an ApiError and nothing. */
export function jsonPatch(document: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw new ApiError("BadRequest", `json: cannot unmarshal ${typeName(operations)} into Go value of type jsonpatch.Patch`);
  const list = operations as readonly Json[];
  for (const operation of list) {
    if (!isObject(operation) && operation !== null) throw new ApiError("BadRequest", `json: cannot unmarshal ${typeName(operation)} into Go value of type jsonpatch.Operation`);
  }
  if (list.length > operationsMax) {
    throw new ApiError("RequestEntityTooLarge", `Request entity is too large: The allowed maximum operations in a JSON patch is ${operationsMax}, got ${list.length}`);
  }
  const patching = new Patching(document);
  try {
    for (const operation of list) patching.apply((operation ?? {}) as Operation);
  } catch (error) {
    if (error instanceof DoesNotApply) throw new ApiError("Invalid", "the server rejected our request due to an error in our request", {}, 422);
    throw error;
  }
  return patching.root;
}

/** The same for a patch that is not a client's: why it does not apply, and whether that is only one of its own tests. */
export function jsonPatchOf(document: Json, operations: Json): { readonly ok: true; readonly document: Json } | { readonly ok: false; readonly isTest: boolean; readonly why: string } {
  const patching = new Patching(document);
  try {
    for (const operation of Array.isArray(operations) ? (operations as readonly Json[]) : []) patching.apply((operation ?? {}) as Operation);
  } catch (error) {
    if (error instanceof DoesNotApply) return { ok: false, isTest: error instanceof TestFailed, why: error.message };
    throw error;
  }
  return { ok: true, document: patching.root };
}

function typeName(value: Json): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value === "boolean" ? "bool" : typeof value === "bigint" ? "number" : typeof value;
}

/** A document being patched: containers are copied when they are first changed, so the original stays as it is. */
class Patching {
  root: Json;
  readonly #mine = new WeakSet<object>();
  #copied = 0;
  constructor(root: Json) {
    this.root = root;
  }

  apply(operation: Operation): void {
    switch (operation["op"]) {
      case "add": return this.#add(textOf(operation, "path"), operation["value"] ?? null);
      case "remove": return void this.#remove(textOf(operation, "path"));
      case "replace": return this.#replace(textOf(operation, "path"), operation["value"] ?? null);
      case "move": return this.#add(textOf(operation, "path"), this.#remove(textOf(operation, "from")));
      case "copy": return this.#copy(textOf(operation, "from"), textOf(operation, "path"));
      case "test": return this.#test(textOf(operation, "path"), operation["value"] ?? null);
      default: throw new DoesNotApply(`Unexpected kind: ${String(operation["op"] ?? "unknown")}`);
    }
  }

  #add(path: string, value: Json): void {
    const [container, key] = this.#find(path);
    if (!Array.isArray(container)) return setOwn(container, key, value);
    if (key === "-") { container.push(value); return; }
    container.splice(indexOf(key, container.length + 1), 0, value);
  }

  #remove(path: string): Json {
    const [container, key] = this.#find(path);
    if (Array.isArray(container)) return container.splice(indexOf(key, container.length), 1)[0]!;
    if (!Object.hasOwn(container, key)) throw new DoesNotApply(`Unable to remove nonexistent key: ${key}`);
    const value = container[key]!;
    delete container[key];
    return value;
  }

  #replace(path: string, value: Json): void {
    if (path === "") {
      if (typeof value !== "object" || value === null) throw new DoesNotApply("replace operation value must be object or array");
      this.root = value;
      return;
    }
    const [container, key] = this.#find(path);
    // Quirk: replacing a key that is not there adds it. See evanphx/json-patch v4 patch.go, partialDoc.get.
    if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
    else setOwn(container, key, value);
  }

  #copy(from: string, to: string): void {
    const value = this.#get(from) ?? null;
    this.#copied += sizeOf(value);
    if (this.#copied > copyBytesMax) throw new DoesNotApply(`Unable to complete the copy, the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${copyBytesMax}`);
    this.#disown(value);
    this.#add(to, value);
  }

  #test(path: string, value: Json): void {
    const found = path === "" ? this.root : this.#get(path) ?? null;
    if (!sameJson(found, value)) throw new TestFailed(`testing value ${path} failed: test failed`);
  }

  #get(path: string): Json | undefined {
    const steps = stepsOf(path);
    let at: Json | undefined = this.root;
    for (const step of steps) {
      if (Array.isArray(at)) at = (at as readonly Json[])[indexOf(step, at.length)];
      else if (isObject(at)) at = Object.hasOwn(at, step) ? at[step] : undefined;
      else throw new DoesNotApply(`doc is missing path: ${path}`);
    }
    return at;
  }

  /** The container that `path` ends in, ours to change, and the key in it. */
  #find(path: string): readonly [Container, string] {
    const steps = stepsOf(path);
    let at = (this.root = this.#own(this.root, path)) as Container;
    for (const step of steps.slice(0, -1)) {
      const key = Array.isArray(at) ? indexOf(step, at.length) : step;
      const below: Json | undefined = Array.isArray(at) ? at[key as number] : Object.hasOwn(at, step) ? at[step] : undefined;
      const own = this.#own(below ?? null, path);
      if (own !== below) {
        if (Array.isArray(at)) at[key as number] = own;
        else setOwn(at, step, own);
      }
      at = own as Container;
    }
    return [at, steps.at(-1)!];
  }

  #own(value: Json, path: string): Json {
    if (typeof value !== "object" || value === null) throw new DoesNotApply(`doc is missing path: ${path}`);
    if (this.#mine.has(value)) return value;
    const copy = Array.isArray(value) ? [...(value as readonly Json[])] : { ...value };
    this.#mine.add(copy);
    return copy;
  }

  /** A copied value is in two places now: whoever changes it next, in either, copies it first. */
  #disown(value: Json): void {
    if (typeof value !== "object" || value === null || !this.#mine.delete(value)) return;
    for (const below of Object.values(value)) this.#disown(below);
  }
}

function textOf(operation: Operation, key: "path" | "from"): string {
  const value = operation[key];
  if (typeof value !== "string") throw new DoesNotApply(`${String(operation["op"])} operation failed to decode ${key}`);
  return value;
}

/** RFC 6901. */
function stepsOf(pointer: string): readonly string[] {
  const [, ...steps] = pointer.split("/");
  if (steps.length === 0) throw new DoesNotApply(`doc is missing path: "${pointer}"`);
  return steps.map(step => step.replaceAll(/~[01]/g, escape => (escape === "~1" ? "/" : "~")));
}

// Quirk: negative indices count from the end, and Go's Atoi takes signs and leading zeros. See evanphx/json-patch v4 patch.go, partialArray.
function indexOf(step: string, length: number): number {
  const index = /^[+-]?\d{1,15}$/.test(step) ? Number(step) : NaN;
  const from0 = index < 0 ? index + length : index;
  if (!(from0 >= 0 && from0 < length)) throw new DoesNotApply(`Unable to access invalid index: ${step}`);
  return from0;
}

/** About as many bytes as the value has as JSON. */
function sizeOf(value: Json): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return String(value).length;
  if (Array.isArray(value)) return (value as readonly Json[]).reduce<number>((sum, item) => sum + sizeOf(item) + 1, 2);
  return Object.entries(value).reduce((sum, [key, below]) => sum + key.length + 4 + sizeOf(below), 2);
}
