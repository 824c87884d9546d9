/** Rules of a pod's volumes (kubernetes pkg/apis/core/validation ValidateVolumes). */
import { quantitySign } from "../../base/quantity.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { validateClaimSpec } from "./claimrules.ts";
import { distinctPaths, validateFieldRef, validateResourceFieldRef } from "./envrules.ts";
import { validateAnnotations, validateLabels, validateLabelSelector } from "../meta/rules.ts";
import type { DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume } from "./volume.ts";

const modeText = "must be a number between 0 and 0777 (octal), both inclusive";
const downwardFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/** Volumes by name, for the rules of the containers that mount them. */
export function validateVolumes(volumes: readonly Volume[], podName: string | undefined, path: string): { readonly byName: ReadonlyMap<string, Volume>; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const byName = new Map<string, Volume>();
  volumes.forEach((volume, i) => {
    const here = `${path}[${i}]`;
    const details = volume.name === "" ? [] : grammar.dnsLabel(volume.name);
    if (volume.name === "") problems.push(required(`${here}.name`));
    for (const detail of details) problems.push(invalidValue(`${here}.name`, volume.name, detail));
    if (byName.has(volume.name)) problems.push(duplicate(`${here}.name`, volume.name));
    const before = problems.length;
    checkSource(volume, podName, here, problems);
    if (details.length === 0 && volume.name !== "" && (problems.length === before || !byName.has(volume.name))) byName.set(volume.name, volume);
  });
  return { byName, problems };
}

function checkSource(volume: Volume, podName: string | undefined, path: string, problems: Problem[]): void {
  const given = sourceNames.filter(name => volume[name] !== undefined);
  if (given.length === 0) problems.push(required(path, "must specify a volume type"));
  for (const name of given.slice(1)) problems.push(forbidden(`${path}.${name}`, "may not specify more than 1 volume type"));
  const [name] = given;
  if (name === undefined) return;
  const here = `${path}.${name}`;
  const need = (field: string, value: string | undefined): void => { if (value === undefined || value === "") problems.push(required(`${here}.${field}`)); };
  for (const [field, value] of Object.entries(demandedTexts[name]?.(volume) ?? {})) need(field, value);
  if (volume.hostPath && name === "hostPath" && volume.hostPath.path !== "") problems.push(...noBacksteps(volume.hostPath.path, `${here}.path`));
  if (name === "emptyDir" && volume.emptyDir?.sizeLimit !== undefined && quantitySign(volume.emptyDir.sizeLimit) < 0) problems.push(forbidden(`${here}.sizeLimit`, "SizeLimit field must be a valid resource quantity"));
  if (name === "secret" || name === "configMap") {
    const source = volume[name]!;
    checkMode(source.defaultMode, `${here}.defaultMode`, problems);
    checkItems(source.items ?? [], `${here}.items`, problems);
  }
  if (name === "downwardAPI") {
    checkMode(volume.downwardAPI!.defaultMode, `${here}.defaultMode`, problems);
    (volume.downwardAPI!.items ?? []).forEach(file => checkDownwardFile(file, here, problems));
  }
  if (name === "projected") checkProjected(volume.projected!, here, problems);
  if (name === "nfs" && !volume.nfs!.path.startsWith("/")) problems.push(invalidValue(`${here}.path`, volume.nfs!.path, "must be an absolute path"));
  if (name === "csi" && volume.csi!.driver !== "") for (const detail of grammar.dnsSubdomain(volume.csi!.driver.toLowerCase())) problems.push(invalidValue(`${here}.driver`, volume.csi!.driver, detail));
  if (name === "ephemeral") {
    const template = volume.ephemeral!.volumeClaimTemplate;
    if (template === undefined) problems.push(required(`${here}.volumeClaimTemplate`));
    else {
      problems.push(...validateLabels(template.metadata.labels, `${here}.volumeClaimTemplate.metadata.labels`), ...validateAnnotations(template.metadata.annotations, `${here}.volumeClaimTemplate.metadata.annotations`));
      problems.push(...validateClaimSpec(template.spec, `${here}.volumeClaimTemplate.spec`));
      if (podName) for (const detail of grammar.dnsSubdomain(`${podName}-${volume.name}`)) problems.push(invalidValue(`${here}.name`, volume.name, `PVC name ${JSON.stringify(`${podName}-${volume.name}`)}: ${detail}`));
    }
  }
}
const sourceNames = [
  "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI",
  "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
] as const;
/** Texts that must not be empty, by kind of volume. */
const demandedTexts: { readonly [name: string]: (volume: Volume) => { readonly [field: string]: string | undefined } } = {
  hostPath: ({ hostPath }) => ({ path: hostPath!.path }), gitRepo: ({ gitRepo }) => ({ repository: gitRepo!.repository }), gcePersistentDisk: ({ gcePersistentDisk }) => ({ pdName: gcePersistentDisk!.pdName }),
  awsElasticBlockStore: ({ awsElasticBlockStore }) => ({ volumeID: awsElasticBlockStore!.volumeID }), secret: ({ secret }) => ({ secretName: secret!.secretName }), nfs: ({ nfs }) => ({ server: nfs!.server, path: nfs!.path }),
  iscsi: ({ iscsi }) => ({ targetPortal: iscsi!.targetPortal, iqn: iscsi!.iqn }), glusterfs: ({ glusterfs }) => ({ endpoints: glusterfs!.endpoints, path: glusterfs!.path }),
  persistentVolumeClaim: ({ persistentVolumeClaim }) => ({ claimName: persistentVolumeClaim!.claimName }), rbd: ({ rbd }) => ({ image: rbd!.image }), cinder: ({ cinder }) => ({ volumeID: cinder!.volumeID }),
  quobyte: ({ quobyte }) => ({ registry: quobyte!.registry, volume: quobyte!.volume }), flexVolume: ({ flexVolume }) => ({ driver: flexVolume!.driver }), configMap: ({ configMap }) => ({ name: configMap!.name }),
  azureFile: ({ azureFile }) => ({ secretName: azureFile!.secretName, shareName: azureFile!.shareName }), vsphereVolume: ({ vsphereVolume }) => ({ volumePath: vsphereVolume!.volumePath }),
  photonPersistentDisk: ({ photonPersistentDisk }) => ({ pdID: photonPersistentDisk!.pdID }), portworxVolume: ({ portworxVolume }) => ({ volumeID: portworxVolume!.volumeID }),
  azureDisk: ({ azureDisk }) => ({ diskName: azureDisk!.diskName, diskURI: azureDisk!.diskURI }), scaleIO: ({ scaleIO }) => ({ gateway: scaleIO!.gateway, system: scaleIO!.system, volumeName: scaleIO!.volumeName }), csi: ({ csi }) => ({ driver: csi!.driver }),
};

function checkMode(mode: number | undefined, path: string, problems: Problem[]): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) problems.push(invalidValue(path, mode, modeText));
}
function checkItems(items: readonly KeyToPath[], path: string, problems: Problem[]): void {
  items.forEach(({ key, path: file, mode }, i) => {
    const here = `${path}[${i}]`;
    if (key === "") problems.push(required(`${here}.key`));
    if (file === "") problems.push(required(`${here}.path`));
    problems.push(...localPath(file, `${here}.path`));
    checkMode(mode, `${here}.mode`, problems);
  });
}
function checkDownwardFile(file: DownwardAPIVolumeFile, path: string, problems: Problem[]): void {
  if (file.path === "") problems.push(required(`${path}.path`));
  problems.push(...localPath(file.path, `${path}.path`));
  if (file.fieldRef !== undefined) {
    problems.push(...validateFieldRef(file.fieldRef, downwardFields, `${path}.fieldRef`));
    if (file.resourceFieldRef !== undefined) problems.push(invalidValue(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
  } else if (file.resourceFieldRef !== undefined) problems.push(...validateResourceFieldRef(file.resourceFieldRef, true, `${path}.resourceFieldRef`));
  else problems.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  checkMode(file.mode, `${path}.mode`, problems);
}

function checkProjected(projected: ProjectedVolumeSource, path: string, problems: Problem[]): void {
  checkMode(projected.defaultMode, `${path}.defaultMode`, problems);
  const files: string[] = [];
  projected.sources.forEach((source, i) => {
    const here = `${path}.sources[${i}]`;
    const given = (["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"] as const).filter(name => source[name] !== undefined);
    if (given.length === 0) problems.push(required(here, "must specify one of `secret`, `configMap`, `downwardAPI`, `serviceAccountToken`, `clusterTrustBundle`, or `podCertificate`"));
    for (const name of given.slice(1)) problems.push(forbidden(`${here}.${name}`, "may not specify more than 1 volume type per source"));
    for (const name of ["secret", "configMap"] as const) {
      const from = source[name];
      if (from === undefined) continue;
      if (!from.name) problems.push(required(`${here}.${name}.name`));
      checkItems(from.items ?? [], `${here}.${name}.items`, problems);
      files.push(...(from.items ?? []).map(item => item.path));
    }
    for (const file of source.downwardAPI?.items ?? []) {
      checkDownwardFile(file, `${here}.downwardAPI`, problems);
      files.push(file.path);
    }
    const token = source.serviceAccountToken;
    if (token !== undefined) {
      const seconds = token.expirationSeconds;
      if (seconds < 600) problems.push(invalidValue(`${here}.serviceAccountToken.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes"));
      if (seconds > 2 ** 32) problems.push(invalidValue(`${here}.serviceAccountToken.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds"));
      if (token.path === "") problems.push(required(`${here}.serviceAccountToken.path`));
      else problems.push(...localPath(token.path, `${here}.serviceAccountToken.path`));
      files.push(token.path);
    }
    const bundle = source.clusterTrustBundle;
    if (bundle !== undefined) {
      const [byName, bySigner] = [bundle.name !== undefined, bundle.signerName !== undefined];
      if (byName && bySigner) problems.push(invalidValue(`${here}.clusterTrustBundle`, "", "only one of name and signerName may be used"));
      if (!byName && !bySigner) problems.push(required(`${here}.clusterTrustBundle`, "either name or signerName must be specified"));
      if (bundle.labelSelector !== undefined && bySigner) problems.push(...validateLabelSelector(bundle.labelSelector, `${here}.clusterTrustBundle.labelSelector`));
      if (bundle.path === "") problems.push(required(`${here}.clusterTrustBundle.path`));
      else problems.push(...localPath(bundle.path, `${here}.clusterTrustBundle.path`));
      files.push(bundle.path);
    }
  });
  for (const each of distinctPaths(files, path)) problems.push(invalidValue(path, each.value, "conflicting duplicate paths"));
}

const noBacksteps = (value: string, path: string): readonly Problem[] => (value.split("/").includes("..") ? [invalidValue(path, value, "must not contain '..'")] : []);
/** A relative path that stays where it starts. */
export function descendingPath(value: string, path: string): readonly Problem[] {
  return [...(value.startsWith("/") ? [invalidValue(path, value, "must be a relative path")] : []), ...noBacksteps(value, path)];
}
/** The same, for files that the agent writes: names that start with two dots are its own. */
function localPath(value: string, path: string): readonly Problem[] {
  const problems = [...descendingPath(value, path)];
  if (value.startsWith("..") && !value.startsWith("../") && value !== "..") problems.push(invalidValue(path, value, "must not start with '..'"));
  return problems;
}
export const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
export const unsupportedMode = (path: string, mode: string): Problem => notSupported(path, mode, accessModes);
