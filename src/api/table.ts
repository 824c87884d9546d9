/** Tables: what `kubectl get` prints, made from the kinds' columns (meta.k8s.io Table). */
import type { Json } from "../base/json.ts";
import type { AnyKind, Column } from "../kinds/kind.ts";
import { badRequest } from "./errors.ts";

export type IncludeObject = "Object" | "Metadata" | "None";

export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const asked = query.get("includeObject") ?? "";
  if (asked === "") return "Metadata";
  if (asked === "Object" || asked === "Metadata" || asked === "None") return asked;
  throw badRequest(`Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`);
}

const docs = new Map([
  ["Name", "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated."],
]);

const fallback: readonly Column[] = [
  { name: "Name", format: "name", cell: object => object.metadata.name },
  { name: "Created At", type: "date", cell: object => object.metadata.creationTimestamp ?? null },
];

const columnsOf = (kind: AnyKind): readonly Column[] => (kind.columns.length === 0 ? fallback : kind.columns);

export function columnDefinitions(kind: AnyKind): Json {
  return columnsOf(kind).filter(({ announced }) => announced !== false).map(({ name, type, format, priority, doc }) => ({
    name, type: type ?? "string", format: format ?? (name === "Name" ? "name" : ""), description: doc ?? docs.get(name) ?? "", priority: priority ?? 0,
  }));
}

/** One row. `object` is as the client's version has it, `stored` as a built-in kind's columns read it; a custom resource's versions have columns of their own. */
export function rowOf(kind: AnyKind, stored: any, object: any, include: IncludeObject, version: string, now: number): Json {
  const shown: Json = include === "None" ? null : include === "Object" ? object : partialOf(object, version);
  const conditions = kind.rowConditions?.(stored) ?? [];
  return { cells: columnsOf(kind).map(({ cell }) => cell(kind.custom === true ? object : stored, now)), ...(conditions.length === 0 ? {} : { conditions }), object: shown };
}

/** The cells of a bookmark, which is an object of which nothing is said: as many as there are columns. */
export function blankCells(kind: AnyKind): Json {
  return columnsOf(kind).map(({ type }, i) => (i === 0 ? "" : kind.custom === true ? null : type === "integer" ? 0 : type === "boolean" ? false : ""));
}

export function partialOf(object: any, version: string): Json {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

export function tableOf(version: string, metadata: Json, columns: Json, rows: readonly Json[]): Json {
  return { kind: "Table", apiVersion: `meta.k8s.io/${version}`, metadata, columnDefinitions: columns, rows };
}
