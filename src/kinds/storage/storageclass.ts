import { TopologySelectorTerm } from "../core/references-topology.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import { duplicate, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { oldLabels } from "../core/podwarnings.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const StorageClass = defineKind({
  group: "storage.k8s.io", version: "v1", kind: "StorageClass", plural: "storageclasses", namespaced: false,
  shortNames: ["sc"],
  returnDeleted: true,
  definition: "io.k8s.api.storage.v1.StorageClass",
  doc: "A kind of storage, and who provides it.",
  fields: {
    allowVolumeExpansion: t.bool().pb(6).pointer().doc("Whether volumes can be made bigger."),
    allowedTopologies: t.list(TopologySelectorTerm).pb(8).doc("Where volumes may be made."),
    mountOptions: t.list(t.string()).pb(5).doc("Options of the mount of its volumes."),
    parameters: t.map(t.string()).pb(3).doc("What the provisioner is told."),
    provisioner: t.string().pb(2).required().always("zero").doc("Who makes the volumes."),
    reclaimPolicy: t.oneOf("Delete", "Recycle", "Retain").unchecked().pb(4).pointer().default("Delete").doc("What becomes of volumes when their claims are deleted: Delete or Retain."),
    volumeBindingMode: t.oneOf("Immediate", "WaitForFirstConsumer").pb(7).pointer().default("Immediate").doc("Whether volumes are made at once (Immediate) or for the first pod (WaitForFirstConsumer)."),
  },
  *rules(next, previous) {
    if (next.provisioner === "") yield required("provisioner");
    else for (const detail of qualifiedName(next.provisioner.toLowerCase())) yield invalidValue("provisioner", next.provisioner.toLowerCase(), detail);
    if (next.reclaimPolicy !== "Delete" && next.reclaimPolicy !== "Retain" && String(next.reclaimPolicy) !== "") yield notSupported("reclaimPolicy", next.reclaimPolicy, ["Delete", "Retain"]);
    for (const [i, term] of (next.allowedTopologies ?? []).entries()) {
      yield* topologyProblems(term, `allowedTopologies[${i}]`);
      // Quirk: the list compared with begins with as many empty ones (validateAllowedTopologies).
      const like = [...(labelsOf(term).size === 0 ? next.allowedTopologies! : []), ...next.allowedTopologies!.slice(0, i).filter(other => sameLabels(labelsOf(other), labelsOf(term)))];
      for (const _ of like) yield duplicate(`allowedTopologies[${i}].matchLabelExpressions`, "");
    }
    if (Object.keys(next.parameters ?? {}).some(key => key === "")) yield invalidValue("parameters", "", "field can not be empty.");
    if (previous === undefined) return;
    for (const name of ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] as const) if (!sameJson(next[name], previous[name])) yield invalidValue(name, next[name] ?? null, "field is immutable");
  },
  *warnings({ allowedTopologies = [] }) {
    for (const [i, { matchLabelExpressions = [] }] of allowedTopologies.entries()) for (const [j, { key }] of matchLabelExpressions.entries()) if (oldLabels.has(key)) yield `allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${oldLabels.get(key)!}`;
  },
  columns: [
    { ...nameColumn, cell: ({ metadata }) => (["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"].some(key => metadata.annotations?.[key] === "true") ? `${metadata.name} (default)` : metadata.name) },
    { name: "Provisioner", type: "string", doc: "Who makes volumes.", cell: ({ provisioner }) => provisioner },
    { name: "ReclaimPolicy", type: "string", doc: "What becomes of volumes after their claims.", cell: ({ reclaimPolicy }) => reclaimPolicy },
    { name: "VolumeBindingMode", type: "string", doc: "When volumes are made.", cell: ({ volumeBindingMode }) => volumeBindingMode },
    { name: "AllowVolumeExpansion", type: "string", doc: "Whether volumes may grow.", cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false },
    ageColumn,
  ],
});
export interface StorageClass extends Resource<typeof StorageClass> {}

type Labels = ReadonlyMap<string, ReadonlySet<string>>;
const labelsOf = ({ matchLabelExpressions = [] }: TopologySelectorTerm): Labels => new Map(matchLabelExpressions.map(({ key, values }) => [key, new Set(values)]));
const sameLabels = (one: Labels, other: Labels): boolean => one.size === other.size && [...one].every(([key, values]) => other.has(key) && other.get(key)!.size === values.size && [...values].every(value => other.get(key)!.has(value)));
function* topologyProblems({ matchLabelExpressions = [] }: TopologySelectorTerm, path: string): Iterable<Problem> {
  const keys = new Set<string>();
  for (const [i, { key, values }] of matchLabelExpressions.entries()) {
    const here = `${path}.matchLabelExpressions[${i}]`;
    if (values.length === 0) yield required(`${here}.values`);
    for (const [j, value] of values.entries()) if (values.indexOf(value) < j) yield duplicate(`${here}.values[${j}]`, value);
    for (const detail of qualifiedName(key)) yield invalidValue(`${here}.key`, key, detail);
    if (keys.has(key)) yield duplicate(`${here}.key`, key);
    keys.add(key);
  }
}
