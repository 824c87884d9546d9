import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import { duplicate, invalidValue, notSupported } from "../../schema/problem.ts";
import { sameJson } from "../../base/json.ts";
import * as t from "../../schema/t.ts";

export const CSIDriverTokenRequest = t.object("io.k8s.api.storage.v1.TokenRequest", {
  audience: t.string().pb(1).required().always("zero").doc("Who the token is for; the API server if empty."),
  expirationSeconds: t.int64().pb(2).pointer().doc("How long it is valid."),
});
export interface CSIDriverTokenRequest extends t.Stored<typeof CSIDriverTokenRequest> {}

export const CSIDriverSpec = t.object("io.k8s.api.storage.v1.CSIDriverSpec", {
  attachRequired: t.bool().pb(1).pointer().default(true).doc("Whether volumes have to be attached before they are mounted."),
  fsGroupPolicy: t.string().pb(5).pointer().default("ReadWriteOnceWithFSType").doc("Whether volumes' files may be given to the pod's group."),
  nodeAllocatableUpdatePeriodSeconds: t.int64().pb(9).pointer().doc("How often nodes ask how many volumes they may have."),
  podInfoOnMount: t.bool().pb(2).pointer().default(false).doc("Whether the driver is told about the pod."),
  preventPodSchedulingIfMissing: t.bool().pb(11).pointer().doc("Whether pods wait while no node has the driver."),
  requiresRepublish: t.bool().pb(7).pointer().default(false).doc("Whether the driver is called again and again while the pod runs."),
  seLinuxMount: t.bool().pb(8).pointer().default(false).doc("Whether mounting with an SELinux label works."),
  serviceAccountTokenInSecrets: t.bool().pb(10).pointer().doc("Whether tokens are handed over among the secrets."),
  storageCapacity: t.bool().pb(4).pointer().default(false).doc("Whether the scheduler asks how much room there is."),
  tokenRequests: t.list(CSIDriverTokenRequest).pb(6).doc("Tokens of the pod's service account that the driver is handed."),
  volumeLifecycleModes: t.set(t.string()).pb(3).default(["Persistent"]).doc("Whether its volumes outlive pods (Persistent) or not (Ephemeral)."),
});
export interface CSIDriverSpec extends t.Stored<typeof CSIDriverSpec> {}

export const CSIDriver = defineKind({
  group: "storage.k8s.io", version: "v1", kind: "CSIDriver", plural: "csidrivers", namespaced: false,
  conditionalUpdate: true,
  returnDeleted: true,
  definition: "io.k8s.api.storage.v1.CSIDriver",
  doc: "How a storage driver wants to be treated.",
  fields: {
    spec: CSIDriverSpec.pb(2).required().always("{}").doc("How the driver is used."),
  },
  // Quirk: the generation starts with the first change, not with 1.
  prepare(next, previous) {
    delete next.spec.preventPodSchedulingIfMissing;
    if (previous !== undefined && !sameJson(next.spec, previous.spec)) next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
  },
  *rules({ spec }, previous) {
    if (!["File", "None", "ReadWriteOnceWithFSType"].includes(spec.fsGroupPolicy)) yield notSupported("spec.fsGroupPolicy", spec.fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"]);
    const audiences = new Set<string>();
    for (const [i, { audience, expirationSeconds: seconds }] of (spec.tokenRequests ?? []).entries()) {
      const here = `spec.tokenRequests[${i}]`;
      if (audiences.has(audience)) yield duplicate(`${here}.audience`, audience);
      else if (seconds !== undefined && seconds < 600) yield invalidValue(`${here}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes");
      else if (seconds !== undefined && seconds > 2 ** 32) yield invalidValue(`${here}.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds");
      audiences.add(audience);
    }
    for (const mode of spec.volumeLifecycleModes ?? []) if (mode !== "Persistent" && mode !== "Ephemeral") yield notSupported("spec.volumeLifecycleModes", mode, ["Persistent", "Ephemeral"]);
    const period = spec.nodeAllocatableUpdatePeriodSeconds;
    if (period !== undefined && period < 10) yield invalidValue("spec.nodeAllocatableUpdatePeriodSeconds", period, "must be greater than or equal to 10 seconds");
    if (previous === undefined) return;
    if (spec.attachRequired !== previous.spec.attachRequired) yield invalidValue("spec.attachedRequired", spec.attachRequired, "field is immutable");
    if (!sameJson(spec.volumeLifecycleModes, previous.spec.volumeLifecycleModes)) yield invalidValue("spec.volumeLifecycleModes", spec.volumeLifecycleModes, "field is immutable");
  },
  *warnings({ spec }, previous) {
    if ((spec.tokenRequests ?? []).length > 0 && spec.serviceAccountTokenInSecrets === undefined && (previous === undefined || !sameJson(spec.tokenRequests, previous.spec.tokenRequests))) yield "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";
  },
  columns: [
    nameColumn,
    { name: "AttachRequired", type: "boolean", doc: "Whether volumes are attached first.", cell: ({ spec }) => spec.attachRequired },
    { name: "PodInfoOnMount", type: "boolean", doc: "Whether it is told about pods.", cell: ({ spec }) => spec.podInfoOnMount },
    { name: "StorageCapacity", type: "boolean", doc: "Whether it reports free space.", cell: ({ spec }) => spec.storageCapacity },
    { name: "TokenRequests", type: "string", doc: "Audiences of the tokens it gets.", cell: ({ spec }) => (spec.tokenRequests ?? []).map(({ audience }) => audience).join(",") || "<unset>" },
    { name: "RequiresRepublish", type: "boolean", doc: "Whether it is called again and again.", cell: ({ spec }) => spec.requiresRepublish },
    { name: "Modes", type: "string", doc: "Kinds of volumes it makes.", cell: ({ spec }) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>" },
    ageColumn,
  ],
});
export interface CSIDriver extends Resource<typeof CSIDriver> {}
