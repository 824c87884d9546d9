/** Rules of where volumes come from, shared by pods and persistent volumes (kubernetes pkg/apis/core/validation, validate…VolumeSource). */
import { quantitySign } from "../../base/quantity.ts";
import * as grammar from "../../schema/grammar.ts";
import { forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import type { PersistentVolumeSpec } from "./persistentvolume.ts";
import type { Volume } from "./volume.ts";

type Reference = { readonly name?: string | undefined; readonly namespace?: string | undefined } | undefined;
type All = Omit<Volume, "name"> & Pick<PersistentVolumeSpec, "local">;
/** What both kinds of volume have, under the looser of the two types. */
type Sources = { readonly [K in keyof All]?: All[K] };
type Rule<K extends keyof All> = (source: NonNullable<All[K]>, path: string, persistent: boolean) => Iterable<Problem>;

function* need(path: string, texts: { readonly [field: string]: string | readonly string[] | undefined }): Iterable<Problem> {
  for (const [field, value] of Object.entries(texts)) if (value === undefined || value.length === 0) yield required(`${path}.${field}`);
}
function* partitionOf(partition: number | undefined, path: string): Iterable<Problem> {
  if (partition !== undefined && (partition < 0 || partition > 255)) yield invalidValue(`${path}.partition`, partition, grammar.inclusiveRange(1, 255));
}
function* lunOf(lun: number, path: string): Iterable<Problem> {
  if (lun < 0 || lun > 255) yield invalidValue(`${path}.lun`, lun, grammar.inclusiveRange(0, 255));
}
function* named(reference: Reference, path: string, namespaced: boolean): Iterable<Problem> {
  if (reference !== undefined) yield* need(path, namespaced ? { name: reference.name, namespace: reference.namespace } : { name: reference.name });
}
function* initiator(name: string, path: string, persistent: boolean): Iterable<Problem> {
  const kind = name.slice(0, 3);
  const patterns: { readonly [kind: string]: RegExp } = { iqn: /iqn\.[0-9]{4}-[0-9]{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$/, eui: /^eui.[A-Za-z0-9]{16}$/, naa: /^naa.[A-Za-z0-9]{32}$/ };
  const pattern = patterns[kind];
  if (pattern === undefined) yield invalidValue(path, name, persistent ? "must be valid format" : "must be valid format starting with iqn, eui, or naa");
  else if (name.length > 512 || !pattern.test(name)) yield invalidValue(path, name, "must be valid format");
}
function* driverName(driver: string, path: string): Iterable<Problem> {
  if (driver === "") yield required(path);
  else {
    if (driver.length > 63) yield { field: path, reason: "TooLong", detail: "may not be more than 63 bytes" };
    for (const detail of grammar.dnsSubdomain(driver.toLowerCase())) yield invalidValue(path, driver, detail);
  }
}
export const validateDriverName = driverName;
function* secretOf(reference: Reference, path: string): Iterable<Problem> {
  if (reference === undefined) return;
  if (!reference.name) yield required(`${path}.name`);
  else for (const detail of grammar.dnsSubdomain(reference.name)) yield invalidValue(`${path}.name`, reference.name, detail);
  if (!reference.namespace) yield required(`${path}.namespace`);
  else for (const detail of grammar.dnsLabel(reference.namespace)) yield invalidValue(`${path}.namespace`, reference.namespace, detail);
}

const rules: { readonly [K in keyof All]?: Rule<K> } = {
  *emptyDir({ sizeLimit }, path) { if (sizeLimit !== undefined && quantitySign(sizeLimit) < 0) yield forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity"); },
  *hostPath(source, path) {
    if (source.path === "") yield required(`${path}.path`);
    else yield* noBacksteps(source.path, `${path}.path`);
    if (source.path !== "" && !hostPathTypes.includes(source.type)) yield notSupported(`${path}.type`, source.type, hostPathTypes);
  },
  *gitRepo({ repository, directory }, path) { yield* need(path, { repository }); yield* descendingPath(directory ?? "", `${path}.directory`); },
  *gcePersistentDisk({ pdName, partition }, path) { yield* need(path, { pdName }); yield* partitionOf(partition, path); },
  *awsElasticBlockStore({ volumeID, partition }, path) { yield* need(path, { volumeID }); yield* partitionOf(partition, path); },
  *nfs({ server, path: folder }, path) { yield* need(path, { server, path: folder }); if (!folder.startsWith("/")) yield invalidValue(`${path}.path`, folder, "must be an absolute path"); },
  *iscsi({ targetPortal, iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName }, path, persistent) {
    yield* need(path, { targetPortal, iqn });
    if (iqn !== "") yield* initiator(iqn, `${path}.iqn`, persistent);
    yield* lunOf(lun, path);
    if ((chapAuthDiscovery === true || chapAuthSession === true) && secretRef === undefined) yield required(`${path}.secretRef`);
    if (persistent) yield* named(secretRef, `${path}.secretRef`, false);
    if (initiatorName !== undefined) yield* initiator(initiatorName, `${path}.initiatorname`, persistent);
  },
  *glusterfs({ endpoints, path: folder, ...more }, path, persistent) {
    yield* need(path, { endpoints, path: folder });
    const { endpointsNamespace } = more as { readonly endpointsNamespace?: string };
    if (!persistent || endpointsNamespace === undefined) return;
    const details = endpointsNamespace === "" ? ["if the endpointnamespace is set, it must be a valid namespace name"] : grammar.dnsLabel(endpointsNamespace);
    for (const detail of details) yield invalidValue(`${path}.endpointsNamespace`, endpointsNamespace, detail);
  },
  *flocker({ datasetName = "", datasetUUID = "" }, path) {
    if (datasetName === "" && datasetUUID === "") yield required(path, "one of datasetName and datasetUUID is required");
    if (datasetName !== "" && datasetUUID !== "") yield invalidValue(path, "resource", "datasetName and datasetUUID can not be specified simultaneously");
    if (datasetName.includes("/")) yield invalidValue(`${path}.datasetName`, datasetName, "must not contain '/'");
  },
  *persistentVolumeClaim({ claimName }, path) { yield* need(path, { claimName }); },
  *rbd({ monitors, image }, path) { yield* need(path, { monitors, image }); },
  *cinder({ volumeID, secretRef }, path, persistent) { yield* need(path, { volumeID }); yield* named(secretRef, `${path}.secretRef`, persistent); },
  *cephfs({ monitors }, path) { yield* need(path, { monitors }); },
  *quobyte({ registry, tenant = "", volume }, path) {
    const text = "must be a host:port pair or multiple pairs separated by commas";
    if (registry === "") yield required(`${path}.registry`, text);
    else if (tenant.length >= 65) yield required(`${path}.tenant`, "must be a UUID and may not exceed a length of 64 characters");
    else for (const pair of registry.split(",")) if (!/^([^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair)) yield invalidValue(`${path}.registry`, registry, text);
    yield* need(path, { volume });
  },
  *fc({ targetWWNs = [], wwids = [], lun }, path) {
    if (targetWWNs.length === 0 && wwids.length === 0) yield required(`${path}.targetWWNs`, "must specify either targetWWNs or wwids, but not both");
    if (targetWWNs.length > 0 && wwids.length > 0) yield invalidValue(`${path}.targetWWNs`, targetWWNs, "targetWWNs and wwids can not be specified simultaneously");
    if (targetWWNs.length === 0) return;
    if (lun === undefined) yield required(`${path}.lun`, "lun is required if targetWWNs is specified");
    else yield* lunOf(lun, path);
  },
  *flexVolume({ driver, options = {} }, path) {
    yield* need(path, { driver });
    for (const key of Object.keys(options)) if (/(^|\.)(kubernetes|k8s)\.io$/i.test(key.split("/")[0]!)) yield invalidValue(`${path}.options[${key}]`, key, "kubernetes.io and k8s.io namespaces are reserved");
  },
  *azureFile({ secretName, shareName, ...more }, path) {
    yield* need(path, { secretName, shareName });
    if ((more as { readonly secretNamespace?: string }).secretNamespace === "") yield required(`${path}.secretNamespace`);
  },
  *vsphereVolume({ volumePath }, path) { yield* need(path, { volumePath }); },
  *photonPersistentDisk({ pdID }, path) { yield* need(path, { pdID }); },
  *portworxVolume({ volumeID }, path) { yield* need(path, { volumeID }); },
  *azureDisk({ diskName, diskURI, cachingMode, kind }, path) {
    yield* need(path, { diskName, diskURI });
    if (!["None", "ReadOnly", "ReadWrite"].includes(cachingMode)) yield notSupported(`${path}.cachingMode`, cachingMode, ["None", "ReadOnly", "ReadWrite"]);
    if (!["Dedicated", "Managed", "Shared"].includes(kind)) yield notSupported(`${path}.kind`, kind, ["Dedicated", "Managed", "Shared"]);
    if (kind === "Managed" && !diskURI.startsWith("/subscriptions/")) yield notSupported(`${path}.diskURI`, diskURI, ["/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"]);
    if (kind !== "Managed" && !diskURI.startsWith("https://")) yield notSupported(`${path}.diskURI`, diskURI, ["https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"]);
  },
  *storageos({ volumeName = "", volumeNamespace = "", secretRef }, path, persistent) {
    yield* need(path, { volumeName });
    for (const [field, value] of [["volumeName", volumeName], ["volumeNamespace", volumeNamespace]] as const) if (value !== "") for (const detail of grammar.dnsLabel(value)) yield invalidValue(`${path}.${field}`, value, detail);
    yield* named(secretRef, `${path}.secretRef`, persistent);
  },
  *scaleIO({ gateway, system, volumeName }, path) { yield* need(path, { gateway, system, volumeName }); },
  *local(source, path) { if (source.path === "") yield required(`${path}.path`); else yield* noBacksteps(source.path, `${path}.path`); },
  *csi(source, path, persistent) {
    yield* driverName(source.driver, `${path}.driver`);
    if (!persistent) {
      const { nodePublishSecretRef: secret } = source;
      if (secret === undefined) return;
      if (!secret.name) yield required(`${path}.nodePublishSecretRef.name`);
      else for (const detail of grammar.dnsSubdomain(secret.name)) yield invalidValue(`${path}.name`, secret.name, detail);
      return;
    }
    const volume = source as unknown as NonNullable<PersistentVolumeSpec["csi"]>;
    yield* need(path, { volumeHandle: volume.volumeHandle });
    for (const field of ["controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"] as const) yield* secretOf(volume[field], `${path}.${field}`);
  },
};
const hostPathTypes = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
/** Where upstream's field paths differ from the fields' names. */
const ownPath: { readonly [name: string]: string } = { gcePersistentDisk: "persistentDisk" };
const secondPath: { readonly [name: string]: string } = { cephfs: "cephFS", downwardAPI: "downwarAPI" };

/** Rules of the one source among `names` that counts; whatever else is given is refused. */
export function* validateSource<N extends string>(volume: unknown, names: readonly N[], path: string, persistent: boolean): Generator<Problem, N | undefined> {
  const sources = volume as Sources & { readonly [name: string]: unknown };
  let first: N | undefined;
  // Thirty names and one that is there: an iterator would cost more than the looking.
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!, source = sources[name];
    if (source === undefined) continue;
    if (first !== undefined && !(persistent && name === "flexVolume")) yield forbidden(`${path}.${secondPath[name] ?? name}`, "may not specify more than 1 volume type");
    else {
      first ??= name;
      yield* (rules as { readonly [name: string]: ((source: unknown, path: string, persistent: boolean) => Iterable<Problem>) | undefined })[name]?.(source, `${path}.${ownPath[name] ?? name}`, persistent) ?? [];
    }
  }
  if (first === undefined) yield required(path, "must specify a volume type");
  return first;
}

function* noBacksteps(value: string, path: string): Iterable<Problem> {
  if (value.split("/").includes("..")) yield invalidValue(path, value, "must not contain '..'");
}
/** A relative path that stays where it starts. */
export function descendingPath(value: string, path: string): readonly Problem[] {
  const backsteps = value.includes("..") ? [...noBacksteps(value, path)] : none;
  return value.startsWith("/") ? [invalidValue(path, value, "must be a relative path"), ...backsteps] : backsteps;
}
const none: readonly Problem[] = [];
/** The same, for files that the agent writes: names that start with two dots are its own. */
export function localPath(value: string, path: string): readonly Problem[] {
  const problems = descendingPath(value, path);
  return value.startsWith("..") && !value.startsWith("../") ? [...problems, invalidValue(path, value, "must not start with '..'")] : problems;
}
/** Modes that exist, told once for each that does not, at the list. */
export function validateAccessModes(modes: readonly string[], path: string): readonly Problem[] {
  const problems: Problem[] = modes.filter(mode => !accessModes.includes(mode)).map(mode => notSupported(path, mode, accessModes));
  if (modes.includes("ReadWriteOncePod") && modes.some(mode => mode !== "ReadWriteOncePod" && accessModes.includes(mode))) problems.push(forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  return problems;
}
const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
