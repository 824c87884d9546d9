import { timeOf } from "../../base/time.ts";
import { decodeBase64 } from "../../base/base64.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import { dns1035Label, dnsSubdomain, validPort } from "../../schema/grammar.ts";
import { invalidValue, required } from "../../schema/problem.ts";
import * as t from "../../schema/t.ts";

export const ServiceReference = t.object("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference", {
  name: t.string().pb(2).doc("Name of the service."),
  namespace: t.string().pb(1).doc("Its namespace."),
  port: t.int32().pb(3).pointer().default(443).doc("Port of the service."),
});
export interface ServiceReference extends t.Stored<typeof ServiceReference> {}

export const APIServiceSpec = t.object("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec", {
  caBundle: t.bytes().atomic().pb(5).doc("Authorities that the server's certificate is checked against, as PEM in base64."),
  group: t.string().pb(2).doc("API group that is served."),
  groupPriorityMinimum: t.int32().pb(7).required().always("zero").doc("Which groups come first: those with higher numbers."),
  insecureSkipTLSVerify: t.bool().pb(4).doc("Whether the certificate is not checked."),
  service: ServiceReference.pb(1).doc("The service that serves it; this server if not given."),
  version: t.string().pb(3).doc("API version that is served."),
  versionPriority: t.int32().pb(8).required().always("zero").doc("Which versions of the group come first: those with higher numbers."),
});
export interface APIServiceSpec extends t.Stored<typeof APIServiceSpec> {}

export const APIServiceCondition = t.object("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition", {
  lastTransitionTime: t.time().pb(3).doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface APIServiceCondition extends t.Stored<typeof APIServiceCondition> {}

export const APIServiceStatus = t.object("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus", {
  conditions: t.listBy(APIServiceCondition, "type").pb(1).mergeBy("type").doc("What is known about the object, one entry per aspect."),
});
export interface APIServiceStatus extends t.Stored<typeof APIServiceStatus> {}

export const APIService = defineKind({
  group: "apiregistration.k8s.io", version: "v1", kind: "APIService", plural: "apiservices", namespaced: false,
  conditionalUpdate: true,
  statusAlone: true,
  categories: ["api-extensions"], subresources: ["status"],
  definition: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  doc: "Says who serves a version of an API group.",
  fields: {
    spec: APIServiceSpec.pb(2).always("{}").doc("What is served, and by whom."),
    status: APIServiceStatus.pb(3).always("{}").doc("Whether it can be reached."),
  },
  nameGrammar: "path-segment",
  // What this server answers itself is there from the first moment (kube-aggregator pkg/registry/apiservice/strategy.go).
  prepare(next, previous, { now }) {
    if (previous === undefined && next.spec.service === undefined) next.status = { conditions: [{ type: "Available", status: "True", lastTransitionTime: timeOf(now), reason: "Local", message: "Local APIServices are always available" }] };
  },
  *rules(next) {
    const { group = "", version = "", service, groupPriorityMinimum, versionPriority, insecureSkipTLSVerify, caBundle } = next.spec;
    if (next.metadata.name && next.metadata.name !== `${version}.${group}`) yield invalidValue("metadata.name", next.metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(`${version}.${group}`)}`);
    if (group === "" && version !== "v1") yield required("spec.group", "only v1 may have an empty group and it better be legacy kube");
    if (group !== "") for (const text of dnsSubdomain(group)) yield invalidValue("spec.group", group, text);
    for (const text of dns1035Label(version)) yield invalidValue("spec.version", version, text);
    if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) yield invalidValue("spec.groupPriorityMinimum", groupPriorityMinimum, "must be positive and less than 20000");
    if (versionPriority <= 0 || versionPriority > 1_000) yield invalidValue("spec.versionPriority", versionPriority, "must be positive and less than 1000");
    if (service === undefined) {
      if ((caBundle ?? "") !== "") yield invalidValue("spec.caBundle", `${decodeBase64(caBundle!)?.length ?? 0} bytes`, "local APIServices may not have a caBundle");
      if (insecureSkipTLSVerify === true) yield invalidValue("spec.insecureSkipTLSVerify", true, "local APIServices may not have insecureSkipTLSVerify");
      return;
    }
    if ((service.namespace ?? "") === "") yield required("spec.service.namespace");
    if ((service.name ?? "") === "") yield required("spec.service.name");
    const { port = 443 } = service;
    if (validPort(port).length > 0) yield invalidValue("spec.service.port", port, `port is not valid: ${validPort(port).join(", ")}`);
    if (insecureSkipTLSVerify === true && (caBundle ?? "") !== "") yield invalidValue("spec.insecureSkipTLSVerify", true, "may not be true if caBundle is present");
  },
  columns: [
    nameColumn,
    { name: "Service", type: "string", doc: "The service behind it.", cell: ({ spec: { service } }) => (service === undefined ? "Local" : `${service.namespace ?? ""}/${service.name ?? ""}`) },
    { name: "Available", type: "string", doc: "Whether it can be reached.", cell: ({ status }) => { const available = status.conditions?.find(({ type }) => type === "Available"); return available === undefined ? "Unknown" : available.status === "True" ? "True" : `${available.status} (${available.reason ?? ""})`; } },
    ageColumn,
  ],
});
export interface APIService extends Resource<typeof APIService> {}
