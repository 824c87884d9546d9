import { createdAtColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import type { Json } from "../../base/json.ts";
import * as t from "../../schema/t.ts";

export const ServiceReference = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference", {
  name: t.string().pb(2).required().always("zero"),
  namespace: t.string().pb(1).required().always("zero"),
  path: t.string().pb(3).pointer(),
  port: t.int32().pb(4).pointer(),
});
export interface ServiceReference extends t.Stored<typeof ServiceReference> {}

export const WebhookClientConfig = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig", {
  caBundle: t.bytes().pb(2),
  service: ServiceReference.pb(1),
  url: t.string().pb(3).pointer(),
});
export interface WebhookClientConfig extends t.Stored<typeof WebhookClientConfig> {}

export const WebhookConversion = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion", {
  clientConfig: WebhookClientConfig.pb(2),
  conversionReviewVersions: t.list(t.string()).pb(3).required().always("[]"),
});
export interface WebhookConversion extends t.Stored<typeof WebhookConversion> {}

export const CustomResourceConversion = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion", {
  strategy: t.string().pb(1).required().default("None").always("zero"),
  webhook: WebhookConversion.pb(2),
});
export interface CustomResourceConversion extends t.Stored<typeof CustomResourceConversion> {}

export const CustomResourceDefinitionNames = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames", {
  categories: t.list(t.string()).pb(6),
  kind: t.string().pb(4).required().always("zero"),
  listKind: t.string().pb(5),
  plural: t.string().pb(1).required().always("zero"),
  shortNames: t.list(t.string()).pb(3),
  singular: t.string().pb(2),
});
export interface CustomResourceDefinitionNames extends t.Stored<typeof CustomResourceDefinitionNames> {}

export const CustomResourceColumnDefinition = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition", {
  description: t.string().pb(4),
  format: t.string().pb(3),
  jsonPath: t.string().pb(6).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
  priority: t.int32().pb(5),
  type: t.string().pb(2).required().always("zero"),
});
export interface CustomResourceColumnDefinition extends t.Stored<typeof CustomResourceColumnDefinition> {}

export const ExternalDocumentation = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation", {
  description: t.string().pb(1),
  url: t.string().pb(2),
});
export interface ExternalDocumentation extends t.Stored<typeof ExternalDocumentation> {}

export const ValidationRule = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule", {
  fieldPath: t.string().pb(5),
  message: t.string().pb(2),
  messageExpression: t.string().pb(3),
  optionalOldSelf: t.bool().pb(6).pointer(),
  reason: t.oneOf("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired").pb(4).pointer(),
  rule: t.string().pb(1).required().always("zero"),
});
export interface ValidationRule extends t.Stored<typeof ValidationRule> {}

/** A JSON schema as a client wrote it; its own schema refers to itself. */
export type SchemaProps = { readonly [keyword: string]: Json };
const schema = (): t.Field<any, any, any> => allKeywords;

const allKeywords = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps", {
  $ref: t.string().pb(3).pointer(),
  $schema: t.string().pb(2),
  additionalItems: t.schemaOr("bool-or-schema", schema).pb(33).pointer(),
  additionalProperties: t.schemaOr("bool-or-schema", schema).pb(30).pointer(),
  allOf: t.list(t.lazy<SchemaProps>(schema)).pb(25),
  anyOf: t.list(t.lazy<SchemaProps>(schema)).pb(27),
  default: t.rawJson().pb(8).pointer(),
  definitions: t.map(t.lazy<SchemaProps>(schema)).pb(34),
  dependencies: t.map(t.schemaOr("schema-or-strings", schema)).pb(32),
  description: t.string().pb(4),
  enum: t.list(t.rawJson()).pb(20),
  example: t.rawJson().pb(36).pointer(),
  exclusiveMaximum: t.bool().pb(10),
  exclusiveMinimum: t.bool().pb(12),
  externalDocs: ExternalDocumentation.pb(35),
  format: t.string().pb(6),
  id: t.string().pb(1),
  items: t.schemaOr("schema-or-array", schema).pb(24).pointer(),
  maxItems: t.int64().pb(16).pointer(),
  maxLength: t.int64().pb(13).pointer(),
  maxProperties: t.int64().pb(21).pointer(),
  maximum: t.double().pb(9).pointer(),
  minItems: t.int64().pb(17).pointer(),
  minLength: t.int64().pb(14).pointer(),
  minProperties: t.int64().pb(22).pointer(),
  minimum: t.double().pb(11).pointer(),
  multipleOf: t.double().pb(19).pointer(),
  not: t.lazy<SchemaProps>(schema).pb(28),
  nullable: t.bool().pb(37),
  oneOf: t.list(t.lazy<SchemaProps>(schema)).pb(26),
  pattern: t.string().pb(15),
  patternProperties: t.map(t.lazy<SchemaProps>(schema)).pb(31),
  properties: t.map(t.lazy<SchemaProps>(schema)).pb(29),
  required: t.list(t.string()).pb(23),
  title: t.string().pb(7),
  type: t.string().pb(5),
  uniqueItems: t.bool().pb(18),
  "x-kubernetes-embedded-resource": t.bool().pb(39),
  "x-kubernetes-int-or-string": t.bool().pb(40),
  "x-kubernetes-list-map-keys": t.list(t.string()).pb(41),
  "x-kubernetes-list-type": t.string().pb(42).pointer(),
  "x-kubernetes-map-type": t.string().pb(43).pointer(),
  "x-kubernetes-preserve-unknown-fields": t.bool().pb(38).pointer(),
  "x-kubernetes-validations": t.listBy(ValidationRule, "rule").pb(44).mergeBy("rule"),
});
/** Typed as plain JSON: written out, the type would contain itself. */
export const JSONSchemaProps = allKeywords as unknown as t.Field<SchemaProps>;
export type JSONSchemaProps = SchemaProps;

export const CustomResourceValidation = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation", {
  openAPIV3Schema: JSONSchemaProps.pb(1),
});
export interface CustomResourceValidation extends t.Stored<typeof CustomResourceValidation> {}

export const SelectableField = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField", {
  jsonPath: t.string().pb(1).required().always("zero"),
});
export interface SelectableField extends t.Stored<typeof SelectableField> {}

export const CustomResourceSubresourceScale = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale", {
  labelSelectorPath: t.string().pb(3).pointer(),
  specReplicasPath: t.string().pb(1).required().always("zero"),
  statusReplicasPath: t.string().pb(2).required().always("zero"),
});
export interface CustomResourceSubresourceScale extends t.Stored<typeof CustomResourceSubresourceScale> {}

export const CustomResourceSubresourceStatus = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus", {});
export interface CustomResourceSubresourceStatus extends t.Stored<typeof CustomResourceSubresourceStatus> {}

export const CustomResourceSubresources = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources", {
  scale: CustomResourceSubresourceScale.pb(2),
  status: CustomResourceSubresourceStatus.pb(1),
});
export interface CustomResourceSubresources extends t.Stored<typeof CustomResourceSubresources> {}

export const CustomResourceDefinitionVersion = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion", {
  additionalPrinterColumns: t.list(CustomResourceColumnDefinition).pb(6),
  deprecated: t.bool().pb(7),
  deprecationWarning: t.string().pb(8).pointer(),
  name: t.string().pb(1).required().always("zero"),
  schema: CustomResourceValidation.pb(4),
  selectableFields: t.list(SelectableField).pb(9),
  served: t.bool().pb(2).required().always("zero"),
  storage: t.bool().pb(3).required().always("zero"),
  subresources: CustomResourceSubresources.pb(5),
});
export interface CustomResourceDefinitionVersion extends t.Stored<typeof CustomResourceDefinitionVersion> {}

export const CustomResourceDefinitionSpec = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec", {
  conversion: CustomResourceConversion.pb(9),
  group: t.string().pb(1).required().always("zero"),
  names: CustomResourceDefinitionNames.pb(3).required().always("{}"),
  preserveUnknownFields: t.bool().pb(10),
  scope: t.string().pb(4).required().always("zero"),
  versions: t.list(CustomResourceDefinitionVersion).pb(7).required().always("[]"),
});
export interface CustomResourceDefinitionSpec extends t.Stored<typeof CustomResourceDefinitionSpec> {}

export const CustomResourceDefinitionCondition = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition", {
  lastTransitionTime: t.time().pb(3).always("null"),
  message: t.string().pb(5),
  observedGeneration: t.int64().pb(6),
  reason: t.string().pb(4),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface CustomResourceDefinitionCondition extends t.Stored<typeof CustomResourceDefinitionCondition> {}

export const CustomResourceDefinitionStatus = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus", {
  acceptedNames: CustomResourceDefinitionNames.pb(2).always("{}"),
  conditions: t.listBy(CustomResourceDefinitionCondition, "type").pb(1).always("[]"),
  observedGeneration: t.int64().pb(4),
  storedVersions: t.list(t.string()).pb(3).always("[]"),
});
export interface CustomResourceDefinitionStatus extends t.Stored<typeof CustomResourceDefinitionStatus> {}

export const CustomResourceDefinition = defineKind({
  group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition", plural: "customresourcedefinitions", namespaced: false,
  shortNames: ["crd", "crds"], categories: ["api-extensions"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  doc: "Adds a kind of its own to the API.",
  fields: {
    spec: CustomResourceDefinitionSpec.pb(2).required().always("{}"),
    status: CustomResourceDefinitionStatus.pb(3).always("{}"),
  },
  columns: [nameColumn, createdAtColumn],
});
export interface CustomResourceDefinition extends Resource<typeof CustomResourceDefinition> {}
