import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { forbidden, invalidValue, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import * as t from "../../schema/t.ts";

export const VolumeAttributesClass = defineKind({
  group: "storage.k8s.io", version: "v1", kind: "VolumeAttributesClass", plural: "volumeattributesclasses", namespaced: false,
  shortNames: ["vac"],
  returnDeleted: true,
  definition: "io.k8s.api.storage.v1.VolumeAttributesClass",
  doc: "Attributes of volumes that may change while they are in use.",
  fields: {
    driverName: t.string().pb(2).required().always("zero").doc("The driver."),
    parameters: t.map(t.string()).pb(3).doc("The attributes."),
  },
  *rules(next, previous) {
    if (previous !== undefined) for (const name of ["driverName", "parameters"] as const) if (!sameJson(next[name], previous[name])) yield forbidden(name, `updates to ${name} are forbidden.`);
    if (next.driverName === "") yield required("driverName");
    else for (const detail of qualifiedName(next.driverName.toLowerCase())) yield invalidValue("driverName", next.driverName.toLowerCase(), detail);
    const keys = Object.keys(next.parameters ?? {});
    if (keys.length === 0) yield required("parameters", "must contain at least one key/value pair");
    else if (keys.includes("")) yield invalidValue("parameters", "", "field can not be empty.");
  },
  columns: [nameColumn, { name: "DriverName", type: "string", doc: "The driver.", cell: ({ driverName }) => driverName }, ageColumn],
});
export interface VolumeAttributesClass extends Resource<typeof VolumeAttributesClass> {}
