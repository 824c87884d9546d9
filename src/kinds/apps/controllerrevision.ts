import { ageColumn, nameColumn } from "../columns.ts";
import type { OwnerReference } from "../meta/objectmeta.ts";
import { isObject, sameJson } from "../../base/json.ts";
import { invalidValue, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ControllerRevision = defineKind({
  group: "apps", version: "v1", kind: "ControllerRevision", plural: "controllerrevisions", namespaced: true,
  definition: "io.k8s.api.apps.v1.ControllerRevision",
  doc: "An immutable snapshot of a controller's state, for going back to.",
  fields: {
    data: t.rawExtension().pb(2).always("zero").doc("What the controller's object said then."),
    revision: t.int64().pb(3).required().always("zero").doc("Number of the revision; later ones are higher."),
  },
  *rules(next, previous) {
    if (next.revision < 0) yield invalidValue("revision", next.revision, "must be greater than or equal to 0");
    if (previous === undefined && !isObject(next.data)) yield required("data", next.data === null ? "data is mandatory" : "data must be a valid JSON object");
    if (previous !== undefined && !sameJson(next.data, previous.data)) yield invalidValue("data", next.data, "field is immutable");
  },
  columns: [
    nameColumn,
    { name: "Controller", type: "string", doc: "Object whose state this is.", cell: ({ metadata }) => controllerText(metadata.ownerReferences) },
    { name: "Revision", type: "string", doc: "Number of the revision.", cell: ({ revision }) => revision },
    ageColumn,
  ],
});
export interface ControllerRevision extends Resource<typeof ControllerRevision> {}

function controllerText(owners: readonly OwnerReference[] | undefined): string {
  const owner = owners?.find(({ controller }) => controller === true);
  if (owner === undefined) return "<none>";
  const group = owner.apiVersion.includes("/") ? `.${owner.apiVersion.slice(0, owner.apiVersion.indexOf("/"))}` : "";
  return `${owner.kind}${group}`.toLowerCase() + `/${owner.name}`;
}
