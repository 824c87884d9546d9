import { MatchCondition, RuleWithOperations, WebhookClientConfig } from "./types.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultWebhook, webhookProblems } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ValidatingWebhook = t.object("io.k8s.api.admissionregistration.v1.ValidatingWebhook", {
  admissionReviewVersions: t.list(t.string()).pb(8).required().always("[]"),
  clientConfig: WebhookClientConfig.pb(2).required().always("{}"),
  failurePolicy: t.oneOf("Fail", "Ignore").pb(4).pointer(),
  matchConditions: t.listBy(MatchCondition, "name").pb(11).mergeBy("name"),
  matchPolicy: t.oneOf("Equivalent", "Exact").pb(9).pointer(),
  name: t.string().pb(1).required().always("zero"),
  namespaceSelector: LabelSelector.pb(5),
  objectSelector: LabelSelector.pb(10),
  rules: t.list(RuleWithOperations).pb(3),
  sideEffects: t.oneOf("None", "NoneOnDryRun", "Some", "Unknown").pb(6).pointer().required().always("null"),
  timeoutSeconds: t.int32().pb(7).pointer(),
});
export interface ValidatingWebhook extends t.Stored<typeof ValidatingWebhook> {}

export const ValidatingWebhookConfiguration = defineKind({
  group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingWebhookConfiguration", plural: "validatingwebhookconfigurations", namespaced: false,
  categories: ["api-extensions"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
  doc: "Webhooks that may refuse what is written.",
  fields: {
    webhooks: t.listBy(ValidatingWebhook, "name").pb(2).mergeBy("name"),
  },
  defaults(configuration) { for (const webhook of configuration.webhooks ?? []) defaultWebhook(webhook, false); },
  rules: next => webhookProblems(next.webhooks ?? []),
  columns: [nameColumn, { name: "Webhooks", type: "integer", doc: "Number of webhooks.", cell: ({ webhooks }) => webhooks?.length ?? 0 }, ageColumn],
});
export interface ValidatingWebhookConfiguration extends Resource<typeof ValidatingWebhookConfiguration> {}
