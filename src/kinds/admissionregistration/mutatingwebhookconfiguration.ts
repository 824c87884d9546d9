import { MatchCondition, RuleWithOperations, WebhookClientConfig } from "./types.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { conditionOrder, defaultWebhook, webhookProblems, staticNameWarnings } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const MutatingWebhook = t.object("io.k8s.api.admissionregistration.v1.MutatingWebhook", {
  admissionReviewVersions: t.list(t.string()).pb(8).required().always("[]").doc("Versions of AdmissionReview that it understands, the best first."),
  clientConfig: WebhookClientConfig.pb(2).required().always("{}").doc("How it is reached."),
  failurePolicy: t.oneOf("Fail", "Ignore").pb(4).pointer().doc("Whether a request passes or fails when the check itself goes wrong."),
  matchConditions: t.listBy(MatchCondition, "name").pb(12).mergeBy("name").doc("Expressions that all must be true for a request to be sent or checked at all."),
  matchPolicy: t.oneOf("Equivalent", "Exact").pb(9).pointer().doc("Whether requests to other versions of a resource match too: Equivalent, or Exact."),
  name: t.string().pb(1).required().always("zero").doc("Name of the webhook, with a domain."),
  namespaceSelector: LabelSelector.pb(5).doc("Namespaces whose objects it is asked about, by their labels."),
  objectSelector: LabelSelector.pb(11).doc("Objects that it is asked about, by their labels."),
  reinvocationPolicy: t.oneOf("IfNeeded", "Never").pb(10).pointer().doc("Whether it is asked again when others have changed the object since."),
  rules: t.list(RuleWithOperations).pb(3).doc("Requests that it is asked about."),
  sideEffects: t.oneOf("None", "NoneOnDryRun", "Some", "Unknown").unchecked().pb(6).pointer().required().always("null").doc("Whether asking has effects elsewhere: None, or NoneOnDryRun."),
  timeoutSeconds: t.int32().pb(7).pointer().doc("How many seconds to wait for an answer."),
});
export interface MutatingWebhook extends t.Stored<typeof MutatingWebhook> {}

export const MutatingWebhookConfiguration = defineKind({
  group: "admissionregistration.k8s.io", version: "v1", kind: "MutatingWebhookConfiguration", plural: "mutatingwebhookconfigurations", namespaced: false,
  conditionalUpdate: true,
  categories: ["api-extensions"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
  doc: "Webhooks that may change what is written.",
  fields: {
    webhooks: t.listBy(MutatingWebhook, "name").pb(2).mergeBy("name").doc("The webhooks."),
  },
  defaults(configuration) { for (const webhook of configuration.webhooks ?? []) defaultWebhook(webhook, true); },
  checkOrder: conditionOrder("webhooks.matchConditions"),
  rules: next => webhookProblems(next.webhooks ?? []),
  warnings: staticNameWarnings,
  columns: [nameColumn, { name: "Webhooks", type: "integer", doc: "Number of webhooks.", cell: ({ webhooks }) => webhooks?.length ?? 0 }, ageColumn],
});
export interface MutatingWebhookConfiguration extends Resource<typeof MutatingWebhookConfiguration> {}
