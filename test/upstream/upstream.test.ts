/** What we serve, beside upstream's own data. Runs only where that data is: it is no part of the repository. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { parseJson } from "../../src/base/json-codec.ts";
import { sameJson } from "../../src/base/json.ts";
import { kinds } from "../../src/kinds/index.ts";
import { DeleteOptions } from "../../src/kinds/meta/deleteoptions.ts";
import { Status } from "../../src/kinds/meta/status.ts";
import { openapiV2 } from "../../src/kinds/openapi/v2.ts";
import { decode } from "../../src/schema/decode.ts";
import { openEnvelope, sealEnvelope } from "../../src/schema/envelope.ts";
import { decodeProtobuf, encodeProtobuf } from "../../src/schema/protobuf.ts";
import type { Node } from "../../src/schema/t.ts";

/** Groups of which Kubernetes' own module has no fixtures. */
const elsewhere = new Set(["apiextensions.k8s.io", "apiregistration.k8s.io", "metrics.k8s.io"]);
const reference = new URL("../../../shared/reference/", import.meta.url);
if (existsSync(reference)) {
  const folder = mkdtempSync(join(tmpdir(), "timonier-fixtures-"));
  try {
    execFileSync("tar", ["xzf", new URL("fixtures-1.36.3.tar.gz", reference).pathname, "-C", folder]);
    for (const { file, node } of types()) compareFixture(join(folder, "HEAD", file), file, node);
  } finally {
    rmSync(folder, { recursive: true });
  }
  compareOpenapi();
}

function types(): readonly { readonly file: string; readonly node: Node }[] {
  const fileOf = (group: string, version: string, kind: string): string => `${group === "" ? "core" : group}.${version}.${kind}`;
  return [
    ...kinds.filter(({ group }) => !elsewhere.has(group)).flatMap(kind => [{ file: fileOf(kind.group, kind.version, kind.kind), node: kind.schema.node }, ...(kind.alsoServed ?? []).map(other => ({ file: fileOf(other.group ?? kind.group, other.version, kind.kind), node: other.schema.node }))]),
    { file: "core.v1.DeleteOptions", node: DeleteOptions.node }, { file: "core.v1.Status", node: Status.node },
  ];
}

function compareFixture(path: string, name: string, node: Node): void {
  const json = parseJson(readFileSync(`${path}.json`, "utf8")).value;
  const bytes = new Uint8Array(readFileSync(`${path}.pb`));
  test(`${name} reads and writes JSON and protobuf exactly`, () => {
    const { object, unknown } = decode(node, json);
    assert.deepEqual(unknown, []);
    assert.deepEqual(object, json);
    const { raw, apiVersion, kind } = openEnvelope(bytes);
    assert.deepEqual({ ...decodeProtobuf(node, raw), apiVersion, kind }, json);
    assert.ok(Buffer.from(sealEnvelope(apiVersion, kind, encodeProtobuf(node, object))).equals(Buffer.from(bytes)));
  });
}

/** Definitions and paths of the kinds that are served, prose apart, against upstream's document; differences must be listed with a reason. */
function compareOpenapi(): void {
  test("the OpenAPI that is served equals upstream's but for the listed differences", () => {
    const theirs = JSON.parse(gunzipSync(readFileSync(new URL("swagger-1.36.json.gz", reference))).toString()) as Document;
    const ours = JSON.parse(JSON.stringify(openapiV2(kinds.filter(({ group }) => group !== "metrics.k8s.io")))) as Document;
    const found: string[] = [];
    for (const part of ["definitions", "paths"] as const) for (const name of Object.keys(ours[part])) differences(plain(ours, ours[part][name]), plain(theirs, theirs[part][name]), name, found);
    const mine = new Set(kinds.map(({ plural }) => plural));
    for (const path of Object.keys(theirs.paths)) {
      const parts = path.split("/");
      const resource = parts[parts.indexOf("{name}") - 1] ?? parts.at(-1)!;
      const root = path.startsWith("/apis/") ? parts.slice(0, 4).join("/") : parts.slice(0, 3).join("/");
      if (mine.has(resource) && ours.paths[`${root}/`] && !ours.paths[path] && !/beta|alpha/.test(path)) found.push(`${path}: missing`);
    }
    const listed = readFileSync(new URL("differences.txt", import.meta.url), "utf8").split("\n").filter(line => line !== "" && !line.startsWith("#")).map(line => line.split(" # ")[0]!.trim());
    const places = [...new Set(found.map(each => each.split(": ")[0]!))];
    assert.deepEqual(found.filter(each => !listed.includes(each.split(": ")[0]!)), [], "differences that are not listed");
    assert.deepEqual(listed.filter(each => !places.includes(each)), [], "listed differences that are gone: take them off the list");
  });
}
type Document = { readonly definitions: { readonly [name: string]: unknown }; readonly paths: { readonly [path: string]: unknown }; readonly parameters: { readonly [name: string]: unknown } };

/** Without prose, with shared parameters in place, and with lists sorted whose order says nothing. */
function plain(document: Document, value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    // The reference was made with CBOR on; servers have it off.
    const items = value.filter(item => typeof item !== "string" || !item.includes("cbor")).map(item => plain(document, item));
    return key === "parameters" || key === "required" || key === "x-kubernetes-group-version-kind" ? items.sort((a, b) => (JSON.stringify(sortKeys(a)) < JSON.stringify(sortKeys(b)) ? -1 : 1)) : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const { $ref } = value as { readonly $ref?: unknown };
  if (typeof $ref === "string" && $ref.startsWith("#/parameters/")) return plain(document, document.parameters[$ref.slice("#/parameters/".length)]);
  return Object.fromEntries(Object.entries(value).filter(([name, item]) => name !== "description" || typeof item !== "string").map(([name, item]) => [name, plain(document, item, name)]));
}
const sortKeys = (value: unknown): unknown => (typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value);
function differences(ours: unknown, theirs: unknown, path: string, found: string[]): void {
  if (sameJson(ours, theirs)) return;
  const [a, b] = [ours, theirs] as { readonly [key: string]: unknown }[];
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a)) found.push(`${path}: ours ${JSON.stringify(ours)?.slice(0, 200)}, upstream's ${JSON.stringify(theirs)?.slice(0, 200)}`);
  else for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) differences(a[key], b[key], `${path} ${key}`, found);
}
