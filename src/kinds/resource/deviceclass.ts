import { DeviceSelector, OpaqueDeviceConfiguration } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import { configsMax, opaqueProblems, selectorProblems } from "./rules.ts";
import { isExtended } from "../core/resourcerules.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import { invalidValue, tooMany } from "../../schema/problem.ts";
import * as t from "../../schema/t.ts";

export const DeviceClassConfiguration = t.object("io.k8s.api.resource.v1.DeviceClassConfiguration", {
  opaque: OpaqueDeviceConfiguration.pb(1).within(1).doc("What the driver is told."),
});
export interface DeviceClassConfiguration extends t.Stored<typeof DeviceClassConfiguration> {}

export const DeviceClassSpec = t.object("io.k8s.api.resource.v1.DeviceClassSpec", {
  config: t.list(DeviceClassConfiguration).pb(2).doc("What drivers are told about devices of the class."),
  extendedResourceName: t.string().pb(4).pointer().doc("Name by which pods may ask for such devices among their resources."),
  selectors: t.list(DeviceSelector).pb(1).doc("Devices that belong to the class."),
});
export interface DeviceClassSpec extends t.Stored<typeof DeviceClassSpec> {}

export const DeviceClass = defineKind({
  group: "resource.k8s.io", version: "v1", kind: "DeviceClass", plural: "deviceclasses", namespaced: false,
  generation: true, returnDeleted: true,
  definition: "io.k8s.api.resource.v1.DeviceClass",
  doc: "A kind of device, by name.",
  fields: {
    spec: DeviceClassSpec.pb(2).required().always("{}").doc("Which devices, and how they are set up."),
  },
  *rules({ spec }) {
    yield* selectorProblems(spec.selectors ?? [], "spec.selectors");
    if ((spec.config ?? []).length > configsMax) yield tooMany("spec.config", spec.config!.length, configsMax);
    else for (const [i, { opaque }] of (spec.config ?? []).entries()) yield* opaqueProblems(opaque, `spec.config[${i}].opaque`);
    const name = spec.extendedResourceName;
    if (name !== undefined && (!isExtended(name) || qualifiedName(`requests.${name}`).length > 0)) yield invalidValue("spec.extendedResourceName", name, "must be a valid extended resource name");
  },
  columns: [nameColumn, ageColumn],
});
export interface DeviceClass extends Resource<typeof DeviceClass> {}
