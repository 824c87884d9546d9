/** Claims and volumes: the default class, protection while in use, and growing only where the class lets it (plugin/pkg/admission/storage). */
import { compareQuantities } from "../../base/quantity.ts";
import { msOf } from "../../base/time.ts";
import { PersistentVolume } from "../../kinds/core/persistentvolume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistentvolumeclaim.ts";
import { VolumeAttributesClass } from "../../kinds/storage/volumeattributesclass.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

const defaultAnnotations = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"] as const;
const betaClass = "volume.beta.kubernetes.io/storage-class";

/** Marks what others use, so that a deletion waits for them. */
export const storageObjectInUseProtection: AdmissionStep = {
  name: "StorageObjectInUseProtection",
  mutate({ kind, operation, subresource, object }) {
    if (operation !== "CREATE" || subresource !== "") return;
    const finalizer = kind === PersistentVolumeClaim ? "kubernetes.io/pvc-protection" : kind === PersistentVolume ? "kubernetes.io/pv-protection" : kind === VolumeAttributesClass ? "kubernetes.io/vac-protection" : undefined;
    if (finalizer === undefined || (object.metadata.finalizers ?? []).includes(finalizer)) return;
    object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  },
};

/** A claim that names no class at all gets the default one: of several, the newest, then the first by name. */
export const defaultStorageClass: AdmissionStep = {
  name: "DefaultStorageClass",
  mutate(request) {
    const { kind, operation, subresource, object, read } = request;
    if (kind !== PersistentVolumeClaim || operation !== "CREATE" || subresource !== "" || object.spec.storageClassName !== undefined || object.metadata.annotations?.[betaClass] !== undefined) return;
    const [chosen] = defaultsOf(read.list("storage.k8s.io", "storageclasses", ""));
    if (chosen !== undefined) object.spec.storageClassName = chosen.metadata.name;
  },
};

/** What `is-default-class: "true"` marks, newest first, then by name. */
export function defaultsOf(classes: readonly any[], annotations: readonly string[] = defaultAnnotations): any[] {
  return classes.filter(({ metadata }) => annotations.some(name => metadata.annotations?.[name] === "true"))
    .sort((a, b) => (msOf(b.metadata.creationTimestamp) ?? 0) - (msOf(a.metadata.creationTimestamp) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1));
}

export const persistentVolumeClaimResize: AdmissionStep = {
  name: "PersistentVolumeClaimResize",
  validate(request) {
    const { kind, operation, subresource, object, previous } = request;
    if (kind !== PersistentVolumeClaim || operation !== "UPDATE" || subresource !== "") return;
    const size = (claim: any): string => claim.spec.resources?.requests?.storage ?? "0";
    if (compareQuantities(size(object), size(previous)) <= 0) return;
    if (previous.status?.phase !== "Bound") throw refuse(request, "Only bound persistent volume claims can be expanded");
    if (!mayGrow(request, previous)) throw refuse(request, "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
  },
};

function mayGrow({ read }: AdmissionRequest, claim: any): boolean {
  const name: string = claim.metadata.annotations?.[betaClass] ?? claim.spec.storageClassName ?? "";
  return name !== "" && read.get("storage.k8s.io", "storageclasses", "", name)?.allowVolumeExpansion === true;
}
