import { ageColumn, declare, group, kindField, list, object, objectName, patterns, text } from "./schema.ts";

export type ReferenceGrant = { readonly spec: { readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[]; readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[] } };

export const referenceGrants = declare<ReferenceGrant>({
  kind: "ReferenceGrant", plural: "referencegrants", shortNames: ["refgrant"], namespaced: true, version: "v1beta1",
  doc: "Lets objects of other namespaces refer to objects of this one.",
  spec: object("Who may refer to what.", {
    from: list("Who may refer.", object("Objects of a kind and namespace.", { group: group(undefined), kind: kindField(undefined), namespace: text("Their namespace.", { minLength: 1, maxLength: 63, pattern: patterns.label }) }, ["group", "kind", "namespace"]), 16, { minItems: 1 }),
    to: list("What may be referred to.", object("Objects of a kind in this namespace.", { group: group(undefined), kind: kindField(undefined), name: objectName }, ["group", "kind"]), 16, { minItems: 1 }),
  }, ["from", "to"]),
  isSpecRequired: false,
  columns: [ageColumn],
});
