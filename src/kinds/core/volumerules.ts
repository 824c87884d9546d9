/** Rules of a pod's volumes (kubernetes pkg/apis/core/validation ValidateVolumes). */
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, type Problem, required } from "../../schema/problem.ts";
import { validateClaimSpec } from "./claimrules.ts";
import { validateFieldRef, validateResourceFieldRef } from "./envrules.ts";
import { validateAnnotations, validateLabels } from "../meta/rules.ts";
import { localPath, validateSource } from "./volumesourcerules.ts";
import type { DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume } from "./volume.ts";

const modeText = "must be a number between 0 and 0777 (octal), both inclusive";
const downwardFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/** Volumes by name, for the rules of the containers that mount them. */
export function validateVolumes(volumes: readonly Volume[], podName: string | undefined, path: string): { readonly byName: ReadonlyMap<string, Volume>; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const byName = new Map<string, Volume>();
  if (volumes.length === 0) return noVolumes;
  const claims = podName && volumes.some(isEphemeral) ? new Set(volumes.filter(isEphemeral).map(({ name }) => `${podName}-${name}`)) : undefined;
  volumes.forEach((volume, i) => {
    const here = `${path}[${i}]`;
    const own = checkSource(volume, podName, here);
    if (volume.name === "") own.push(required(`${here}.name`));
    else for (const detail of grammar.dnsLabel(volume.name)) own.push(invalidValue(`${here}.name`, volume.name, detail));
    if (byName.has(volume.name)) own.push(duplicate(`${here}.name`, volume.name));
    if (own.length === 0) byName.set(volume.name, volume);
    problems.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && claims?.has(claim) === true) problems.push(invalidValue(`${here}.persistentVolumeClaim.claimName`, claim, "must not reference a PVC that gets created for an ephemeral volume"));
  });
  return { byName, problems };
}

const noVolumes: ReturnType<typeof validateVolumes> = { byName: new Map(), problems: [] };
const isEphemeral = ({ ephemeral }: Volume): boolean => ephemeral !== undefined;

function checkSource(volume: Volume, podName: string | undefined, path: string): Problem[] {
  const problems: Problem[] = [];
  const sources = validateSource(volume, sourceNames, path, false);
  let step = sources.next();
  for (; step.done !== true; step = sources.next()) problems.push(step.value);
  const name = step.value;
  if (name === undefined) return problems;
  const here = `${path}.${name}`;
  switch (name) {
    case "secret": case "configMap": {
      const source = volume[name]!;
      const given = name === "secret" ? volume.secret!.secretName : volume.configMap!.name;
      if (given === undefined || given === "") problems.push(required(`${here}.${name === "secret" ? "secretName" : "name"}`));
      checkMode(source.defaultMode, `${here}.defaultMode`, problems);
      if (source.items !== undefined) checkItems(source.items, `${here}.items`, problems);
      break;
    }
    case "downwardAPI":
      checkMode(volume.downwardAPI!.defaultMode, `${here}.defaultMode`, problems);
      for (const file of volume.downwardAPI!.items ?? []) checkDownwardFile(file, here, problems);
      break;
    case "projected": checkProjected(volume.projected!, here, problems); break;
    case "ephemeral": checkEphemeral(volume, podName, path, problems); break;
    case "image":
      // Workloads fill the reference in later (kubernetes pkg/apis/core/validation ResourceIsPod).
      if (podName !== undefined && !volume.image!.reference) problems.push(required(`${here}.reference`));
      break;
    case "iscsi":
      if (volume.iscsi!.initiatorName !== undefined && `${volume.name}:${volume.iscsi!.targetPortal}`.length > 64) problems.push(invalidValue(`${path}.name`, volume.name, "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."));
      break;
    default:
  }
  return problems;
}
function checkEphemeral(volume: Volume, podName: string | undefined, path: string, problems: Problem[]): void {
  const here = `${path}.ephemeral.volumeClaimTemplate`;
  const template = volume.ephemeral!.volumeClaimTemplate;
  if (template === undefined) problems.push(required(here));
  else {
    problems.push(...validateAnnotations(template.metadata.annotations, `${here}.metadata.annotations`), ...validateLabels(template.metadata.labels, `${here}.metadata.labels`));
    for (const field of Object.keys(template.metadata)) if (field !== "annotations" && field !== "labels" && field !== "creationTimestamp") problems.push(forbidden(`${here}.metadata.${field === "uid" ? "uID" : field}`, "cannot be set"));
    problems.push(...validateClaimSpec(template.spec, `${here}.spec`));
  }
  if (podName && volume.name !== "") for (const detail of grammar.dnsSubdomain(`${podName}-${volume.name}`)) problems.push(invalidValue(`${path}.name`, volume.name, `PVC name ${JSON.stringify(`${podName}-${volume.name}`)}: ${detail}`));
}
const sourceNames = [
  "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI",
  "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
] as const;

function checkMode(mode: number | undefined, path: string, problems: Problem[]): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) problems.push(invalidValue(path, mode, modeText));
}
function checkItems(items: readonly KeyToPath[], path: string, problems: Problem[]): void {
  items.forEach(({ key, path: file, mode }, i) => {
    if (key === "") problems.push(required(`${path}[${i}].key`));
    if (file === "") problems.push(required(`${path}[${i}].path`));
    problems.push(...localPath(file, `${path}[${i}].path`));
    if (mode !== undefined) checkMode(mode, `${path}[${i}].mode`, problems);
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

/** How many fields an object has. */
function countOf(object: object): number {
  let count = 0;
  for (const name in object) if ((object as { readonly [name: string]: unknown })[name] !== undefined) count++;
  return count;
}

function checkProjected(projected: ProjectedVolumeSource, path: string, problems: Problem[]): void {
  checkMode(projected.defaultMode, `${path}.defaultMode`, problems);
  const files = new Set<string>();
  const file = (name: string, shown: string): void => {
    if (name === "") return;
    if (files.has(name)) problems.push(invalidValue(path, shown, "conflicting duplicate paths"));
    files.add(name);
  };
  projected.sources.forEach((source, i) => {
    const here = `${path}.sources[${i}]`;
    for (const name of ["secret", "configMap"] as const) {
      const from = source[name];
      if (from === undefined) continue;
      if (!from.name) problems.push(required(`${here}.${name}.name`));
      if (from.items === undefined) continue;
      checkItems(from.items, `${here}.${name}.items`, problems);
      for (const item of from.items) file(item.path, from.name ?? "");
    }
    for (const each of source.downwardAPI?.items ?? []) {
      checkDownwardFile(each, `${here}.downwardAPI`, problems);
      file(each.path, each.path);
    }
    const token = source.serviceAccountToken;
    if (token !== undefined) {
      const seconds = token.expirationSeconds;
      if (seconds < 600) problems.push(invalidValue(`${here}.serviceAccountToken.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes"));
      if (seconds > 2 ** 32) problems.push(invalidValue(`${here}.serviceAccountToken.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds"));
      // Quirk: upstream names a path of the projection here (validateProjectionSources).
      if (token.path === "") problems.push(required(`${path}.path`));
      else problems.push(...localPath(token.path, `${path}.path`));
    }
    if (countOf(source) > 1) problems.push(forbidden(here, "may not specify more than 1 volume type per source"));
  });
}
