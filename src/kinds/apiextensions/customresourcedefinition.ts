import { createdAtColumn, nameColumn } from "../columns.ts";
import { defaultDefinition, definitionRules, prepareDefinition } from "./crdrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import type { Json } from "../../base/json.ts";
import * as t from "../../schema/t.ts";

export const ServiceReference = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference", {
  name: t.string().pb(2).required().always("zero").doc("Name of the service."),
  namespace: t.string().pb(1).required().always("zero").doc("Its namespace."),
  path: t.string().pb(3).pointer().doc("Path of the URL."),
  port: t.int32().pb(4).pointer().doc("Port of the service."),
});
export interface ServiceReference extends t.Stored<typeof ServiceReference> {}

export const WebhookClientConfig = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig", {
  caBundle: t.bytes().pb(2).doc("Authorities that its certificate is checked against, as PEM in base64."),
  service: ServiceReference.pb(1).doc("A service of the cluster that answers."),
  url: t.string().pb(3).pointer().doc("Where it is reached, if not by a service."),
});
export interface WebhookClientConfig extends t.Stored<typeof WebhookClientConfig> {}

export const WebhookConversion = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion", {
  clientConfig: WebhookClientConfig.pb(2).doc("How the webhook is reached."),
  conversionReviewVersions: t.list(t.string()).pb(3).required().always("[]").doc("Versions of ConversionReview that it understands, the best first."),
});
export interface WebhookConversion extends t.Stored<typeof WebhookConversion> {}

export const CustomResourceConversion = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion", {
  strategy: t.string().pb(1).required().always("zero").doc("None, which changes apiVersion alone, or Webhook."),
  webhook: WebhookConversion.pb(2).doc("The webhook that converts."),
});
export interface CustomResourceConversion extends t.Stored<typeof CustomResourceConversion> {}

export const CustomResourceDefinitionNames = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames", {
  categories: t.list(t.string()).pb(6).doc("Words such as all that stand for several resources."),
  kind: t.string().pb(4).required().always("zero").doc("Kind of the objects."),
  listKind: t.string().pb(5).doc("Kind of lists of them."),
  plural: t.string().pb(1).required().always("zero").doc("The resource, as URLs have it."),
  shortNames: t.list(t.string()).pb(3).doc("Shorter names for people."),
  singular: t.string().pb(2).doc("Name of one of them."),
});
export interface CustomResourceDefinitionNames extends t.Stored<typeof CustomResourceDefinitionNames> {}

export const CustomResourceColumnDefinition = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition", {
  description: t.string().pb(4).doc("What the column shows."),
  format: t.string().pb(3).doc("Form of the value, such as date-time."),
  jsonPath: t.string().pb(6).required().always("zero").doc("Where in the object the value is."),
  name: t.string().pb(1).required().always("zero").doc("Heading of the column."),
  priority: t.int32().pb(5).doc("Columns above 0 are shown only when asked for more."),
  type: t.string().pb(2).required().always("zero").doc("Type of the value."),
});
export interface CustomResourceColumnDefinition extends t.Stored<typeof CustomResourceColumnDefinition> {}

export const ExternalDocumentation = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation", {
  description: t.string().pb(1).doc("What it is."),
  url: t.string().pb(2).doc("Where it is."),
});
export interface ExternalDocumentation extends t.Stored<typeof ExternalDocumentation> {}

export const ValidationRule = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule", {
  fieldPath: t.string().pb(5).doc("Field that errors name."),
  message: t.string().pb(2).doc("What to say when the rule is broken."),
  messageExpression: t.string().pb(3).doc("A CEL expression for what to say."),
  optionalOldSelf: t.bool().pb(6).pointer().doc("Whether the rule holds without an old value too."),
  reason: t.oneOf("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired").unchecked().pb(4).pointer().doc("Reason in the answer, such as FieldValueInvalid."),
  rule: t.string().pb(1).required().always("zero").doc("A CEL expression over self that has to be true."),
});
export interface ValidationRule extends t.Stored<typeof ValidationRule> {}

/** A JSON schema as a client wrote it; its own schema refers to itself. */
export type SchemaProps = { readonly [keyword: string]: Json };
const schema = (): t.Field<any, any, any> => allKeywords;

const allKeywords = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps", {
  $ref: t.string().pb(3).pointer().doc("Not supported."),
  $schema: t.string().pb(2).doc("Version of JSON Schema."),
  additionalItems: t.schemaOr("bool-or-schema", schema).pb(33).pointer().doc("Not supported."),
  additionalProperties: t.schemaOr("bool-or-schema", schema).pb(30).pointer().doc("Schema of all values of a map."),
  allOf: t.list(t.lazy<SchemaProps>(schema)).pb(25).doc("Schemas that all must hold."),
  anyOf: t.list(t.lazy<SchemaProps>(schema)).pb(27).doc("Schemas of which one must hold."),
  default: t.rawJson().pb(8).pointer().doc("Value of a field that is not given."),
  definitions: t.map(t.lazy<SchemaProps>(schema)).pb(34).doc("Not supported."),
  dependencies: t.map(t.schemaOr("schema-or-strings", schema)).pb(32).doc("Not supported."),
  description: t.string().pb(4).doc("What the field is for."),
  enum: t.list(t.rawJson()).pb(20).doc("Values that are allowed."),
  example: t.rawJson().pb(36).pointer().doc("An example."),
  exclusiveMaximum: t.bool().pb(10).doc("Whether the maximum itself is too much."),
  exclusiveMinimum: t.bool().pb(12).doc("Whether the minimum itself is too little."),
  externalDocs: ExternalDocumentation.pb(35).doc("Where more is written about it."),
  format: t.string().pb(6).doc("Form of the value, such as date-time or int64."),
  id: t.string().pb(1).doc("Not supported."),
  items: t.schemaOr("schema-or-array", schema).pb(24).pointer().doc("Schema of the items of a list."),
  maxItems: t.int64().pb(16).pointer().doc("How many items there may be."),
  maxLength: t.int64().pb(13).pointer().doc("How long the text may be."),
  maxProperties: t.int64().pb(21).pointer().doc("How many fields there may be."),
  maximum: t.double().pb(9).pointer().doc("The most that the number may be."),
  minItems: t.int64().pb(17).pointer().doc("How many items there must be."),
  minLength: t.int64().pb(14).pointer().doc("How long the text must be."),
  minProperties: t.int64().pb(22).pointer().doc("How many fields there must be."),
  minimum: t.double().pb(11).pointer().doc("The least that the number may be."),
  multipleOf: t.double().pb(19).pointer().doc("What the number must be a multiple of."),
  not: t.lazy<SchemaProps>(schema).pb(28).doc("A schema that must not hold."),
  nullable: t.bool().pb(37).doc("Whether null is allowed."),
  oneOf: t.list(t.lazy<SchemaProps>(schema)).pb(26).doc("Schemas of which exactly one must hold."),
  pattern: t.string().pb(15).doc("Regular expression that the text must match."),
  patternProperties: t.map(t.lazy<SchemaProps>(schema)).pb(31).doc("Not supported."),
  properties: t.map(t.lazy<SchemaProps>(schema)).pb(29).doc("Fields, by name."),
  required: t.list(t.string()).pb(23).doc("Fields that must be given."),
  title: t.string().pb(7).doc("Name of the schema."),
  type: t.string().pb(5).doc("Type of the value."),
  uniqueItems: t.bool().pb(18).doc("Not supported."),
  "x-kubernetes-embedded-resource": t.bool().pb(39).doc("Whether it is a whole object with apiVersion, kind and metadata."),
  "x-kubernetes-int-or-string": t.bool().pb(40).doc("Whether it is a number or a text."),
  "x-kubernetes-list-map-keys": t.list(t.string()).pb(41).doc("Fields that tell items of the list apart, if it is a map."),
  "x-kubernetes-list-type": t.string().pb(42).pointer().doc("Whether the list is one value (atomic), a set, or a map by keys."),
  "x-kubernetes-map-type": t.string().pb(43).pointer().doc("Whether the map is one value (atomic) or many (granular)."),
  "x-kubernetes-preserve-unknown-fields": t.bool().pb(38).pointer().doc("Whether fields that the schema does not name are kept."),
  "x-kubernetes-validations": t.listBy(ValidationRule, "rule").pb(44).mergeBy("rule").doc("Rules in CEL."),
});
/** Typed as plain JSON: written out, the type would contain itself. */
export const JSONSchemaProps = allKeywords as unknown as t.Field<SchemaProps>;
export type JSONSchemaProps = SchemaProps;

export const CustomResourceValidation = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation", {
  openAPIV3Schema: JSONSchemaProps.pb(1).doc("The schema."),
});
export interface CustomResourceValidation extends t.Stored<typeof CustomResourceValidation> {}

export const SelectableField = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField", {
  jsonPath: t.string().pb(1).required().always("zero").doc("Where in the object the field is."),
});
export interface SelectableField extends t.Stored<typeof SelectableField> {}

export const CustomResourceSubresourceScale = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale", {
  labelSelectorPath: t.string().pb(3).pointer().doc("Where in status the selector is, as text."),
  specReplicasPath: t.string().pb(1).required().always("zero").doc("Where in spec the number wanted is."),
  statusReplicasPath: t.string().pb(2).required().always("zero").doc("Where in status the number there is."),
});
export interface CustomResourceSubresourceScale extends t.Stored<typeof CustomResourceSubresourceScale> {}

export const CustomResourceSubresourceStatus = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus", {});
export interface CustomResourceSubresourceStatus extends t.Stored<typeof CustomResourceSubresourceStatus> {}

export const CustomResourceSubresources = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources", {
  scale: CustomResourceSubresourceScale.pb(2).doc("Whether there is a scale, and where it is."),
  status: CustomResourceSubresourceStatus.pb(1).doc("Whether status is written by itself."),
});
export interface CustomResourceSubresources extends t.Stored<typeof CustomResourceSubresources> {}

export const CustomResourceDefinitionVersion = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion", {
  additionalPrinterColumns: t.list(CustomResourceColumnDefinition).pb(6).doc("Columns that are shown besides the name."),
  deprecated: t.bool().pb(7).doc("Whether those who use it are warned."),
  deprecationWarning: t.string().pb(8).pointer().doc("What they are told."),
  name: t.string().pb(1).required().always("zero").doc("Name of the version, such as v1beta1."),
  schema: CustomResourceValidation.pb(4).doc("What objects look like."),
  selectableFields: t.list(SelectableField).pb(9).doc("Fields by which objects can be selected."),
  served: t.bool().pb(2).required().always("zero").doc("Whether it can be used."),
  storage: t.bool().pb(3).required().always("zero").doc("Whether objects are stored in this version; one is."),
  subresources: CustomResourceSubresources.pb(5).doc("Parts of the object that are written by themselves."),
});
export interface CustomResourceDefinitionVersion extends t.Stored<typeof CustomResourceDefinitionVersion> {}

export const CustomResourceDefinitionSpec = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec", {
  conversion: CustomResourceConversion.pb(9).pointer().doc("How objects come from one version to another."),
  group: t.string().pb(1).required().always("zero").doc("API group of the resource."),
  names: CustomResourceDefinitionNames.pb(3).required().always("{}").doc("What the resource and its kind are called."),
  preserveUnknownFields: t.bool().pb(10).doc("No longer supported."),
  scope: t.string().pb(4).required().always("zero").doc("Namespaced or Cluster."),
  versions: t.list(CustomResourceDefinitionVersion).pb(7).required().always("[]").doc("Versions of the resource."),
});
export interface CustomResourceDefinitionSpec extends t.Stored<typeof CustomResourceDefinitionSpec> {}

export const CustomResourceDefinitionCondition = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition", {
  lastTransitionTime: t.time().pb(3).always("null").doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  observedGeneration: t.int64().pb(6).doc("The metadata.generation that this entry speaks of."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface CustomResourceDefinitionCondition extends t.Stored<typeof CustomResourceDefinitionCondition> {}

export const CustomResourceDefinitionStatus = t.object("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus", {
  acceptedNames: CustomResourceDefinitionNames.pb(2).always("{}").doc("Names that are in use."),
  conditions: t.listBy(CustomResourceDefinitionCondition, "type").pb(1).always("[]").doc("What is known about the object, one entry per aspect."),
  observedGeneration: t.int64().pb(4).doc("The metadata.generation that this status speaks of."),
  storedVersions: t.list(t.string()).pb(3).always("[]").doc("Versions that objects may still be stored in."),
});
export interface CustomResourceDefinitionStatus extends t.Stored<typeof CustomResourceDefinitionStatus> {}

export const CustomResourceDefinition = defineKind({
  hashedAs: "v1beta1",
  group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition", plural: "customresourcedefinitions", namespaced: false,
  conditionalUpdate: true,
  shortNames: ["crd", "crds"], categories: ["api-extensions"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  doc: "Adds a kind of its own to the API.",
  fields: {
    spec: CustomResourceDefinitionSpec.pb(2).required().always("{}").doc("What the resource is called and looks like."),
    status: CustomResourceDefinitionStatus.pb(3).always("{}").doc("Whether it is served."),
  },
  defaults: defaultDefinition,
  prepare: prepareDefinition,
  checkOrder: ["group", "scope", "versions", "version", "names", "validation", "subresources", "additionalPrinterColumns", "selectableFields", "conversion"].map(field => `spec.${field}`),
  rules: (next, previous) => definitionRules(CustomResourceDefinitionVersion.node, next, previous),
  columns: [nameColumn, createdAtColumn],
});
export interface CustomResourceDefinition extends Resource<typeof CustomResourceDefinition> {}
