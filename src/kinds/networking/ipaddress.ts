import { goValue } from "../../schema/go-value.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { invalidValue, required } from "../../schema/problem.ts";
import { validateCanonicalIp } from "../core/iprules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { dnsSubdomain, pathSegment } from "../../schema/grammar.ts";
import * as t from "../../schema/t.ts";

export const ParentReference = t.object("io.k8s.api.networking.v1.ParentReference", {
  group: t.string().pb(1).doc("API group of the object."),
  name: t.string().pb(4).required().doc("Its name."),
  namespace: t.string().pb(3).doc("Its namespace."),
  resource: t.string().pb(2).required().doc("Its resource."),
});
export interface ParentReference extends t.Stored<typeof ParentReference> {}

export const IPAddressSpec = t.object("io.k8s.api.networking.v1.IPAddressSpec", {
  parentRef: ParentReference.pb(1).required().doc("The object that has the address."),
});
export interface IPAddressSpec extends t.Stored<typeof IPAddressSpec> {}

export const IPAddress = defineKind({
  group: "networking.k8s.io", version: "v1", kind: "IPAddress", plural: "ipaddresses", namespaced: false,
  shortNames: ["ip"], nameGrammar: "path-segment",
  definition: "io.k8s.api.networking.v1.IPAddress",
  doc: "An address that is in use, and by what.",
  fields: {
    spec: IPAddressSpec.pb(2).required().always("{}").doc("Who has the address."),
  },
  *rules(next, previous) {
    if (previous === undefined && next.metadata.name) yield* validateCanonicalIp(next.metadata.name, "metadata.name");
    const owner = next.spec.parentRef;
    if (owner === undefined) yield required("spec.parentRef");
    else {
      if (owner.group) for (const detail of dnsSubdomain(owner.group)) yield invalidValue("spec.parentRef.group", owner.group, detail);
      for (const name of ["resource", "name", "namespace"] as const) {
        const value = owner[name] ?? "";
        if (value === "") { if (name !== "namespace") yield required(`spec.parentRef.${name}`); } else for (const detail of pathSegment(value)) yield invalidValue(`spec.parentRef.${name}`, value, detail);
      }
    }
    if (previous !== undefined && !sameJson(next.spec.parentRef, previous.spec.parentRef)) yield invalidValue("spec.parentRef", goValue(ParentReference.node, next.spec.parentRef), "field is immutable");
  },
  columns: [
    nameColumn,
    { name: "ParentRef", type: "string", doc: "What uses the address.", cell: ({ spec: { parentRef } }) => (parentRef === undefined ? "<none>" : [`${parentRef.resource}${parentRef.group ? `.${parentRef.group}` : ""}`, ...(parentRef.namespace ? [parentRef.namespace] : []), parentRef.name].join("/")) },
    // Quirk: rows have an age that the definitions do not announce (pkg/printers/internalversion printIPAddress).
    { ...ageColumn, announced: false },
  ],
});
export interface IPAddress extends Resource<typeof IPAddress> {}
