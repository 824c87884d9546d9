/** The definitions of an OpenAPI document: the kinds, their lists, and the meta types that the paths name. */
import type { Json } from "../../base/json.ts";
import { Definitions, type Dialect } from "../../schema/openapi.ts";
import * as t from "../../schema/t.ts";
import { type AnyKind, apiVersionOf, listDefinition } from "../kind.ts";
import { DeleteOptions } from "../meta/deleteoptions.ts";
import { APIGroup, APIGroupList, APIResourceList, APIVersions, Info } from "../meta/discovery.ts";
import { ListMeta } from "../meta/listmeta.ts";
import { Status } from "../meta/status.ts";
import { WatchEvent } from "../meta/watchevent.ts";
import { servedVersions } from "./operations.ts";

type GroupVersion = { readonly group: string; readonly version: string };
const gvkKey = "x-kubernetes-group-version-kind";

/** A list of a kind's objects. */
export function listSchema(name: string, item: t.Field<any, any, any>): t.Field<any, any, any> {
  return t.object(name, {
    apiVersion: t.string().doc("Version of the schema this list is written in."),
    items: t.list(item).implied().pb(2).required().always("[]").doc("The objects."),
    kind: t.string().doc("Name of the kind of list."),
    metadata: ListMeta.pb(1).always("{}").doc("Version of the list, and where the next page starts."),
  });
}

/** All definitions for `kinds`; `versions` are those in which options and watch events are there, too. */
export function definitionsFor(kinds: readonly AnyKind[], dialect: Dialect, versions: readonly GroupVersion[] = servedVersions(kinds)): Definitions {
  const definitions = new Definitions(dialect);
  addMeta(definitions, versions);
  for (const kind of kinds) {
    const forms = [{ group: kind.group, version: kind.version, definition: kind.definition, schema: kind.schema }, ...(kind.alsoServed ?? []).map(other => ({ ...other, group: other.group ?? kind.group }))];
    for (const { group, version, definition, schema } of forms) {
      definitions.add(schema.node, { ...(kind.doc === "" ? {} : { description: kind.doc }), [gvkKey]: [{ group, kind: kind.kind, version }] });
      if (kind.virtual !== true || kind.verbs?.includes("list") === true) definitions.add(listSchema(listDefinition(definition, kind), schema).node, { description: `A list of ${kind.kind} objects.`, [gvkKey]: [{ group, kind: kind.listKind ?? `${kind.kind}List`, version }] });
    }
  }
  return definitions;
}

/** Definitions that only others refer to are kinds as well. */
export function nameKinds({ schemas }: Definitions, kinds: readonly AnyKind[]): void {
  for (const { group, kind, version, definition } of kinds) {
    const schema = schemas.get(definition);
    if (schema !== undefined) schema[gvkKey] ??= [{ group, kind, version }];
  }
}

function addMeta(definitions: Definitions, versions: readonly GroupVersion[]): void {
  const everywhere = (kind: string): Json => [...new Map(versions.map(({ group, version }) => [apiVersionOf({ group, version }), { group, version }])).values()].map(({ group, version }) => ({ group, kind, version })).sort((a, b) => (`${a.group}/${a.version}` < `${b.group}/${b.version}` ? -1 : 1));
  const only = (kind: string): Json => [{ group: "", kind, version: "v1" }];
  definitions.add(DeleteOptions.node, { description: "What may be said when deleting.", [gvkKey]: everywhere("DeleteOptions") });
  definitions.add(WatchEvent.node, { description: "One change, as a watch sends it.", [gvkKey]: everywhere("WatchEvent") });
  definitions.add(Status.node, { description: "The outcome of a call that answers no object.", [gvkKey]: only("Status") });
  for (const [node, kind] of [[APIGroup, "APIGroup"], [APIGroupList, "APIGroupList"], [APIResourceList, "APIResourceList"], [APIVersions, "APIVersions"]] as const) definitions.add(node.node, { [gvkKey]: only(kind) });
  definitions.add(Info.node);
  definitions.addShared("io.k8s.apimachinery.pkg.apis.meta.v1.Patch");
}
