import { MatchCondition, RuleWithOperations, WebhookClientConfig } from "./types.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultWebhook, webhookProblems } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const MutatingWebhook = t.object("io.k8s.api.admissionregistration.v1.MutatingWebhook", {
  admissionReviewVersions: t.list(t.string()).pb(8).required().always("[]"),
  clientConfig: WebhookClientConfig.pb(2).required().always("{}"),
  failurePolicy: t.oneOf("Fail", "Ignore").pb(4).pointer(),
  matchConditions: t.listBy(MatchCondition, "name").pb(12).mergeBy("name"),
  matchPolicy: t.oneOf("Equivalent", "Exact").pb(9).pointer(),
  name: t.string().pb(1).required().always("zero"),
  namespaceSelector: LabelSelector.pb(5),
  objectSelector: LabelSelector.pb(11),
  reinvocationPolicy: t.oneOf("IfNeeded", "Never").pb(10).pointer(),
  rules: t.list(RuleWithOperations).pb(3),
  sideEffects: t.oneOf("None", "NoneOnDryRun", "Some", "Unknown").pb(6).pointer().required().always("null"),
  timeoutSeconds: t.int32().pb(7).pointer(),
});
export interface MutatingWebhook extends t.Stored<typeof MutatingWebhook> {}

export const MutatingWebhookConfiguration = defineKind({
  group: "admissionregistration.k8s.io", version: "v1", kind: "MutatingWebhookConfiguration", plural: "mutatingwebhookconfigurations", namespaced: false,
  categories: ["api-extensions"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
  doc: "Webhooks that may change what is written.",
  fields: {
    webhooks: t.listBy(MutatingWebhook, "name").pb(2).mergeBy("name"),
  },
  defaults(configuration) { for (const webhook of configuration.webhooks ?? []) defaultWebhook(webhook, true); },
  rules: next => webhookProblems(next.webhooks ?? []),
  columns: [nameColumn, { name: "Webhooks", type: "integer", doc: "Number of webhooks.", cell: ({ webhooks }) => webhooks?.length ?? 0 }, ageColumn],
});
export interface MutatingWebhookConfiguration extends Resource<typeof MutatingWebhookConfiguration> {}
