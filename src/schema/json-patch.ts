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
  if (operations === null) return document;
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

/** What Go calls the type of a JSON value. */
export function typeName(value: Json): string {
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
    const value = operation["value"] ?? null;
    switch (operation["op"]) {
      case "add": {
        const path = textOf(operation, "path");
        return this.#add(path, value, `add operation does not apply: doc is missing path: "${path}"`, `error in add for path: '${path}'`);
      }
      case "remove": {
        const path = textOf(operation, "path");
        return void this.#remove(path, `remove operation does not apply: doc is missing path: "${path}"`, () => `error in remove for path: '${path}'`);
      }
      case "replace": return this.#replace(textOf(operation, "path"), value);
      case "move": {
        const from = textOf(operation, "from"), moved = this.#remove(from, `move operation does not apply: doc is missing from path: ${from}`, key => `error in move for path: '${key}'`), path = textOf(operation, "path");
        return this.#add(path, moved, `move operation does not apply: doc is missing destination path: ${path}`, `error in move for path: '${path}'`);
      }
      case "copy": return this.#copy(textOf(operation, "from"), textOf(operation, "path"));
      case "test": return this.#test(textOf(operation, "path"), value);
      default: throw new DoesNotApply(`Unexpected kind: ${typeof operation["op"] === "string" ? operation["op"] : "unknown"}`);
    }
  }

  #add(path: string, value: Json, missing: string, failing: string): void {
    const [container, key] = this.#find(path, missing);
    if (!Array.isArray(container)) return setOwn(container, key, value);
    if (key === "-") { container.push(value); return; }
    container.splice(indexOf(key, container.length + 1, /^[+-]?\d+$/.test(key) ? failing : `${failing}: value was not a proper array index: '${key}'`), 0, value);
  }

  #remove(path: string, missing: string, failing: (key: string) => string): Json {
    const [container, key] = this.#find(path, missing);
    if (Array.isArray(container)) return container.splice(indexOf(key, container.length, failing(key)), 1)[0]!;
    if (!Object.hasOwn(container, key)) throw new DoesNotApply(`${failing(key)}: Unable to remove nonexistent key: ${key}: missing value`);
    const value = container[key]!;
    delete container[key];
    return value;
  }

  #replace(path: string, value: Json): void {
    if (path === "") {
      if (typeof value !== "object" || value === null) throw new DoesNotApply("replace operation value must be object or array: %!w(<nil>)");
      this.root = value;
      return;
    }
    const [container, key] = this.#find(path, `replace operation does not apply: doc is missing path: ${path}`);
    // Quirk: replacing a key that is not there adds it. See evanphx/json-patch v4 patch.go, partialDoc.get.
    if (!Array.isArray(container)) return setOwn(container, key, value);
    const at = place(key, container.length);
    if (at === undefined) throw new DoesNotApply(`replace operation does not apply: doc is missing key: ${path}: missing value`);
    container[at] = value;
  }

  #copy(from: string, to: string): void {
    const value = this.#get(from, `copy operation does not apply: doc is missing from path: ${from}`, `error in copy for from: '${from}'`) ?? null;
    this.#copied += sizeOf(value);
    if (this.#copied > copyBytesMax) throw new DoesNotApply(`Unable to complete the copy, the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${copyBytesMax}`);
    this.#disown(value);
    this.#add(to, value, `copy operation does not apply: doc is missing destination path: ${to}`, "error while adding value during copy");
  }

  #test(path: string, value: Json): void {
    const found = path === "" ? this.root : this.#get(path, `test operation does not apply: is missing path: ${path}`, `error in test for path: '${path}'`) ?? null;
    if (!sameJson(found, value)) throw new TestFailed(`testing value ${path} failed: test failed`);
  }

  #get(path: string, missing: string, failing: string): Json | undefined {
    const steps = stepsOf(path, missing);
    let at: Json | undefined = this.root;
    steps.forEach((step, i) => {
      if (Array.isArray(at)) at = (at as readonly Json[])[i < steps.length - 1 ? place(step, at.length) ?? nowhere(missing) : indexOf(step, at.length, failing)];
      else at = isObject(at) ? (Object.hasOwn(at, step) ? at[step] : undefined) : nowhere(missing);
    });
    return at;
  }

  /** The container that `path` ends in, ours to change, and the key in it. */
  #find(path: string, missing: string): readonly [Container, string] {
    const steps = stepsOf(path, missing);
    let at = (this.root = this.#own(this.root, missing)) as Container;
    for (const step of steps.slice(0, -1)) {
      const key = Array.isArray(at) ? place(step, at.length) ?? nowhere(missing) : step;
      const below: Json | undefined = Array.isArray(at) ? at[key as number] : Object.hasOwn(at, step) ? at[step] : undefined;
      const own = this.#own(below ?? null, missing);
      if (own !== below) {
        if (Array.isArray(at)) at[key as number] = own;
        else setOwn(at, step, own);
      }
      at = own as Container;
    }
    return [at, steps.at(-1)!];
  }

  #own(value: Json, missing: string): Json {
    if (typeof value !== "object" || value === null) return nowhere(missing);
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
  const value = operation[key], op = String(operation["op"]);
  if (typeof value === "string") return value;
  const why = op === "add" || op === "remove" || (op === "copy" && key === "path") ? "" : key === "path" ? "operation missing path field: " : "operation, missing from field: ";
  throw new DoesNotApply(`${op} operation failed to decode ${key}: ${why}missing value`);
}
function nowhere(missing: string): never {
  throw new DoesNotApply(`${missing}: missing value`);
}

/** RFC 6901. */
function stepsOf(pointer: string, missing: string): readonly string[] {
  const [, ...steps] = pointer.split("/");
  if (steps.length === 0) nowhere(missing);
  return steps.map(step => step.replaceAll(/~[01]/g, escape => (escape === "~1" ? "/" : "~")));
}

// Quirk: negative indices count from the end, and Go's Atoi takes signs and leading zeros. See evanphx/json-patch v4 patch.go, partialArray.
function place(step: string, length: number): number | undefined {
  const index = /^[+-]?\d{1,15}$/.test(step) ? Number(step) : NaN;
  const from0 = index < 0 ? index + length : index;
  return from0 >= 0 && from0 < length ? from0 : undefined;
}
function indexOf(step: string, length: number, failing: string): number {
  const at = place(step, length);
  if (at !== undefined) return at;
  throw new DoesNotApply(`${failing}: ${/^[+-]?\d+$/.test(step) ? `Unable to access invalid index: ${Number(step)}: invalid index referenced` : `strconv.Atoi: parsing ${JSON.stringify(step)}: invalid syntax`}`);
}

/** About as many bytes as the value has as JSON. */
function sizeOf(value: Json): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return String(value).length;
  if (Array.isArray(value)) return (value as readonly Json[]).reduce<number>((sum, item) => sum + sizeOf(item) + 1, 2);
  return Object.entries(value).reduce((sum, [key, below]) => sum + key.length + 4 + sizeOf(below), 2);
}
