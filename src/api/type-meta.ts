/** What a document says it is, which Go reads before anything else of it (apimachinery pkg/runtime/serializer/json), and whether that is what is expected. */
import type { Json, JsonObject } from "../base/json.ts";
import { typeName } from "../schema/json-patch.ts";
import { goQuote } from "../schema/problem.ts";
import type { Expected } from "./body.ts";
import type { Core } from "./core.ts";
import type { Served } from "./registry.ts";

/** A version that was given with slashes to spare has none (`/v1`), so that equal ones are the same text; "" says nothing. */
export type TypeMeta = { readonly apiVersion: string; readonly kind: string };

/** Where `value` names its type; a text instead: why that cannot be read. */
export function typeMetaOf(value: JsonObject): TypeMeta | string {
  const { apiVersion, kind } = value;
  if (!isText(apiVersion)) return noString("apiVersion", apiVersion);
  if (!isText(kind)) return noString("kind", kind);
  const parts = (apiVersion ?? "").split("/");
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  return { apiVersion: parts[0] === "" ? parts[1] ?? "" : apiVersion!, kind: kind ?? "" };
}
const noString = (name: string, given: Json): string => `couldn't get version/kind; json parse error: json: cannot unmarshal ${typeName(given)} into Go struct field .${name} of type string`;
const isText = (given: Json | undefined): given is string | null | undefined => typeof given === "string" || given === null || given === undefined;

/** A group without a version, like nothing at all, is that of who asks. */
export const isVersionless = (apiVersion: string, { group }: Pick<Expected, "group">): boolean => apiVersion === "" || group !== "" && apiVersion === `${group}/`;
/** With what it does not say filled in. */
export const orExpected = ({ apiVersion, kind }: TypeMeta, expected: Expected): TypeMeta => ({ apiVersion: isVersionless(apiVersion, expected) ? gvOf(expected) : apiVersion, kind: kind === "" ? expected.kind : kind });

export const gvOf = ({ group, version }: Pick<Expected, "group" | "version">): string => (group === "" ? version : `${group}/${version}`);
export const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf("/") + 1);
export const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(0, apiVersion.indexOf("/")));

/** What a body of this resource must be. */
export function expectedOf(core: Core, { kind, group, version, node }: Pick<Served, "kind" | "group" | "version" | "node">): Expected {
  return { group, version, kind: kind.kind, node, isKnown: (apiVersion, name) => core.registry.all().some(other => other.apiVersion === apiVersion && (name === undefined || other.kind.kind === name || `${other.kind.kind}List` === name)) };
}

export const scheme = 'scheme "pkg/api/legacyscheme/scheme.go:30"';
/** Kinds that every group has (apimachinery pkg/apis/meta/v1/register.go). */
export const metaKinds = new Set(["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "Status", "UpdateOptions", "WatchEvent"]);

/** Why what is decoded as `apiVersion` and `kind` cannot become what is expected. */
export function typeMismatch({ apiVersion, kind }: TypeMeta, expected: Expected): string | undefined {
  if (kind === expected.kind && (apiVersion === gvOf(expected) || expected.anyVersion === true)) return undefined;
  const isMeta = metaKinds.has(kind) && expected.isKnown(apiVersion);
  if (!isMeta && !expected.isKnown(apiVersion, kind)) return `no kind ${goQuote(kind)} is registered for version ${goQuote(apiVersion)} in ${scheme}`;
  return `converting (${isMeta ? "v1" : versionOf(apiVersion)}.${kind}) to (${expected.group === "" ? "core" : expected.group.split(".")[0]}.${expected.kind}): unknown conversion`;
}
