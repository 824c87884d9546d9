/** Query parameters and DeleteOptions, checked as upstream does (apimachinery pkg/apis/meta/v1/validation, internalversion/validation). */
import { isObject, type Json } from "../base/json.ts";
import { invalid, type Problem } from "../schema/problem.ts";
import { badRequest } from "./errors.ts";
import { isTrue } from "./request-info.ts";
import { checkSelectors } from "./select.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";
export type WriteOptions = { readonly dryRun: boolean; readonly fieldManager: string; readonly fieldValidation: FieldValidation; /** As the client wrote it, if it did. */ readonly askedValidation?: string };

export type DeleteOptions = {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly orphanDependents?: boolean;
  readonly uid?: string;
  readonly resourceVersion?: string;
};

export type ListOptions = {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly limit: number;
  readonly continue: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: "" | "Exact" | "NotOlderThan";
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
};

const problem = (field: string, reason: Problem["reason"], detail: string, value?: unknown): Problem => ({ field, reason, detail, ...(value === undefined ? {} : { value }) });
const refuse = (kind: string, problems: readonly Problem[]): void => {
  if (problems.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", problems);
};
const quoted = (values: readonly string[]): string => `supported values: ${values.map(value => JSON.stringify(value)).join(", ")}`;

export function writeOptions(kind: "CreateOptions" | "UpdateOptions" | "PatchOptions", query: URLSearchParams, patch?: { readonly apply: boolean }): WriteOptions {
  const fieldManager = query.get("fieldManager") ?? "";
  const fieldValidation = query.get("fieldValidation") ?? "";
  const problems: Problem[] = [];
  if (patch?.apply === true && fieldManager === "") problems.push(problem("fieldManager", "Required", "is required for apply patch"));
  if (patch?.apply === false && query.has("force")) problems.push(problem("force", "Forbidden", "may not be specified for non-apply patch"));
  if (fieldManager.length > 128) problems.push(problem("fieldManager", "TooLong", "may not be more than 128 bytes"));
  const odd = /\p{C}/u.exec(fieldManager);
  if (odd !== null) problems.push(problem("fieldManager", "Invalid", `invalid character U+${odd[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")} (at position ${odd.index})`, fieldManager));
  const dryRun = dryRunOf(query.getAll("dryRun"), problems);
  if (!["", "Ignore", "Warn", "Strict"].includes(fieldValidation)) problems.push(problem("fieldValidation", "NotSupported", quoted(["", "Ignore", "Strict", "Warn"]), fieldValidation));
  refuse(kind, problems);
  return { dryRun, fieldManager, fieldValidation: fieldValidation === "" ? "Warn" : (fieldValidation as FieldValidation), askedValidation: fieldValidation };
}

function dryRunOf(values: readonly string[], problems: Problem[]): boolean {
  if (values.some(value => value !== "All")) problems.push(problem("dryRun", "NotSupported", quoted(["All"]), values));
  return values.length > 0;
}

export function listOptions(query: URLSearchParams, watch: boolean): ListOptions {
  const send = query.get("sendInitialEvents");
  const options = {
    labelSelector: query.get("labelSelector") ?? "", fieldSelector: query.get("fieldSelector") ?? "", continue: query.get("continue") ?? "",
    limit: Math.max(0, integer(query, "limit") ?? 0), resourceVersion: query.get("resourceVersion") ?? "", resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    allowWatchBookmarks: bool(query.get("allowWatchBookmarks")) ?? false, sendInitialEvents: bool(send), timeoutSeconds: integer(query, "timeoutSeconds"),
  };
  const match = options.resourceVersionMatch;
  const problems: Problem[] = [];
  const forbid = (field: string, detail: string) => problems.push(problem(field, "Forbidden", detail));
  if (watch) {
    // Quirk: a watch from nowhere counts as one that wants what is there first (apimachinery pkg/apis/meta/internalversion/defaults.go).
    if (match === "" && options.sendInitialEvents === undefined && options.continue !== "" && (options.resourceVersion === "" || options.resourceVersion === "0")) forbid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
    if (options.sendInitialEvents !== undefined && match !== "NotOlderThan") forbid("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (match !== "") {
      if (options.sendInitialEvents === undefined) forbid("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
      if (match !== "NotOlderThan") problems.push(problem("resourceVersionMatch", "NotSupported", quoted(["NotOlderThan"]), match));
      if (options.continue !== "") forbid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
    }
  } else {
    if (match !== "") {
      if (options.resourceVersion === "") forbid("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
      if (options.continue !== "") forbid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
      if (match !== "Exact" && match !== "NotOlderThan") problems.push(problem("resourceVersionMatch", "NotSupported", quoted(["Exact", "NotOlderThan", ""]), match));
      if (match === "Exact" && options.resourceVersion === "0") forbid("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
    if (options.sendInitialEvents !== undefined) forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
  }
  if (problems.length > 0) checkSelectors(options.labelSelector, options.fieldSelector);
  refuse("ListOptions", problems);
  return options as ListOptions;
}

/** Digits that a revision has at most. */
const revisionDigitsMax = 16;

/** The revision a client names: "" and "0" are 0. What is none is the client's fault, always: upstream's watch cache answers 500 to some requests (apiserver pkg/storage/cacher/delegator.go). */
export function revisionOf(text: string): number {
  if (text === "" || text === "0") return 0;
  const why = !/^[0-9]+$/.test(text) ? "invalid syntax" : text.length > revisionDigitsMax ? "value out of range" : undefined;
  if (why === undefined) return Number(text);
  throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const why = !/^[-+]?[0-9]+$/.test(text) ? "invalid syntax" : text.length > 20 || BigInt.asIntN(64, BigInt(text)) !== BigInt(text) ? "value out of range" : undefined;
  if (why !== undefined) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  return Number(text);
}

function bool(text: string | null): boolean | undefined {
  return text === null ? undefined : isTrue(text);
}

/** DeleteOptions from a decoded body, or from the query when there is none. */
export function deleteOptions(query: URLSearchParams, body: Json | undefined): DeleteOptions {
  const given = isObject(body) ? body : fromQuery(query);
  const problems: Problem[] = [];
  const dryRun = dryRunOf(Array.isArray(given.dryRun) ? (given.dryRun as string[]) : [], problems);
  const policy = given.propagationPolicy ?? undefined;
  const orphan = given.orphanDependents ?? undefined;
  if (policy !== undefined && orphan !== undefined) problems.push(problem("propagationPolicy", "Invalid", "orphanDependents and deletionPropagation cannot be both set", policy));
  if (policy !== undefined && policy !== "Foreground" && policy !== "Background" && policy !== "Orphan")
    problems.push(problem("propagationPolicy", "NotSupported", quoted(["Foreground", "Background", "Orphan", "nil"]), policy));
  refuse("DeleteOptions", problems);
  const { uid, resourceVersion } = isObject(given.preconditions) ? given.preconditions : {};
  return {
    dryRun,
    ...(given.gracePeriodSeconds === undefined || given.gracePeriodSeconds === null ? {} : { gracePeriodSeconds: Number(given.gracePeriodSeconds) }),
    ...(policy === undefined ? {} : { propagationPolicy: policy as "Background" | "Foreground" | "Orphan" }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan === true }),
    ...(typeof uid === "string" ? { uid } : {}),
    ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
  };
}

function fromQuery(query: URLSearchParams): { readonly [key: string]: Json } {
  const grace = integer(query, "gracePeriodSeconds");
  const orphan = bool(query.get("orphanDependents"));
  const policy = query.get("propagationPolicy");
  return {
    dryRun: query.getAll("dryRun"), ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }), ...(policy === null ? {} : { propagationPolicy: policy }),
  };
}
