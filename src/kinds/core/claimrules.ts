/** Rules of what a volume claim asks for (kubernetes pkg/apis/core/validation ValidatePersistentVolumeClaimSpec). */
import { quantitySign } from "../../base/quantity.ts";
import * as grammar from "../../schema/grammar.ts";
import { invalidValue, type Problem, required } from "../../schema/problem.ts";
import { validateLabelSelector } from "../meta/rules.ts";
import { validateAccessModes } from "./volumesourcerules.ts";
import type { PersistentVolumeClaimSpec } from "./claimspec.ts";

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) problems.push(required(`${path}.accessModes`, "at least 1 access mode is required"));
  problems.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  problems.push(...validateAccessModes(modes, `${path}.accessModes`));
  const storage = spec.resources.requests?.["storage"];
  if (storage === undefined) problems.push(required(`${path}.resources[storage]`));
  else if (quantitySign(storage) <= 0) problems.push(invalidValue(`${path}.resources[storage]`, storage, "must be greater than zero"));
  if (spec.storageClassName) for (const detail of grammar.dnsSubdomain(spec.storageClassName)) problems.push(invalidValue(`${path}.storageClassName`, spec.storageClassName, detail));
  for (const name of ["dataSource", "dataSourceRef"] as const) {
    const source = spec[name];
    if (source === undefined) continue;
    if (source.name === "") problems.push(required(`${path}.${name}.name`));
    if (source.kind === "") problems.push(required(`${path}.${name}.kind`));
    if (!source.apiGroup && source.kind !== "PersistentVolumeClaim") problems.push(invalidValue(`${path}.${name}`, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
    if (source.apiGroup) for (const detail of grammar.dnsSubdomain(source.apiGroup)) problems.push(invalidValue(`${path}.${name}.apiGroup`, source.apiGroup, detail));
  }
  const { dataSource, dataSourceRef } = spec;
  const elsewhere = dataSourceRef?.namespace;
  if (elsewhere) for (const detail of grammar.dnsLabel(elsewhere)) problems.push(invalidValue(`${path}.dataSourceRef.namespace`, elsewhere, detail));
  if (dataSource !== undefined && dataSourceRef !== undefined) {
    if (elsewhere) problems.push(invalidValue(path, `${path}.dataSource`, "may not be specified when dataSourceRef.namespace is specified"));
    else if (dataSource.kind !== dataSourceRef.kind || dataSource.name !== dataSourceRef.name || dataSource.apiGroup !== dataSourceRef.apiGroup) problems.push(invalidValue(path, {}, "must match dataSourceRef"));
  }
  if (spec.volumeAttributesClassName) for (const detail of grammar.dnsSubdomain(spec.volumeAttributesClassName)) problems.push(invalidValue(`${path}.volumeAttributesClassName`, spec.volumeAttributesClassName, detail));
  return problems;
}
