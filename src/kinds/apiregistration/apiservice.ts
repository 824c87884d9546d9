import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ServiceReference = t.object("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference", {
  name: t.string().pb(2),
  namespace: t.string().pb(1),
  port: t.int32().pb(3).pointer(),
});
export interface ServiceReference extends t.Stored<typeof ServiceReference> {}

export const APIServiceSpec = t.object("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec", {
  caBundle: t.bytes().pb(5),
  group: t.string().pb(2),
  groupPriorityMinimum: t.int32().pb(7).required().always("zero"),
  insecureSkipTLSVerify: t.bool().pb(4),
  service: ServiceReference.pb(1),
  version: t.string().pb(3),
  versionPriority: t.int32().pb(8).required().always("zero"),
});
export interface APIServiceSpec extends t.Stored<typeof APIServiceSpec> {}

export const APIServiceCondition = t.object("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition", {
  lastTransitionTime: t.time().pb(3),
  message: t.string().pb(5),
  reason: t.string().pb(4),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface APIServiceCondition extends t.Stored<typeof APIServiceCondition> {}

export const APIServiceStatus = t.object("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus", {
  conditions: t.listBy(APIServiceCondition, "type").pb(1).mergeBy("type"),
});
export interface APIServiceStatus extends t.Stored<typeof APIServiceStatus> {}

export const APIService = defineKind({
  group: "apiregistration.k8s.io", version: "v1", kind: "APIService", plural: "apiservices", namespaced: false,
  categories: ["api-extensions"], subresources: ["status"],
  definition: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  doc: "Says who serves a version of an API group.",
  fields: {
    spec: APIServiceSpec.pb(2).always("{}"),
    status: APIServiceStatus.pb(3).always("{}"),
  },
  columns: [
    nameColumn,
    { name: "Service", type: "string", doc: "The service behind it.", cell: ({ spec: { service } }) => (service === undefined ? "Local" : `${service.namespace ?? ""}/${service.name ?? ""}`) },
    { name: "Available", type: "string", doc: "Whether it can be reached.", cell: ({ status }) => { const available = status.conditions?.find(({ type }) => type === "Available"); return available === undefined ? "Unknown" : available.status === "True" ? "True" : `${available.status} (${available.reason ?? ""})`; } },
    ageColumn,
  ],
});
export interface APIService extends Resource<typeof APIService> {}
