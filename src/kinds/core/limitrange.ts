import { getOwn } from "../../base/json.ts";
import { createdAtColumn, nameColumn } from "../columns.ts";
import { compareQuantities, quantityMilli } from "../../base/quantity.ts";
import { duplicate, forbidden, invalidValue, type Problem, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import { overcommits, validateAnyResourceName, validateResourceName } from "./resourcerules.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import * as t from "../../schema/t.ts";

export const LimitRangeItem = t.object("io.k8s.api.core.v1.LimitRangeItem", {
  default: t.map(t.quantity()).pb(4).doc("Limit given to containers that name none."),
  defaultRequest: t.map(t.quantity()).pb(5).doc("Request given to containers that name none."),
  max: t.map(t.quantity()).pb(2).doc("The most that one may ask for."),
  maxLimitRequestRatio: t.map(t.quantity()).pb(6).doc("How many times the request the limit may be at most."),
  min: t.map(t.quantity()).pb(3).doc("The least that one must ask for."),
  type: t.string().pb(1).required().always("zero").doc("What is limited: Container, Pod or PersistentVolumeClaim."),
});
export interface LimitRangeItem extends t.Stored<typeof LimitRangeItem> {}

export const LimitRangeSpec = t.object("io.k8s.api.core.v1.LimitRangeSpec", {
  limits: t.list(LimitRangeItem).pb(1).required().always("[]").doc("The limits."),
});
export interface LimitRangeSpec extends t.Stored<typeof LimitRangeSpec> {}

export const LimitRange = defineKind({
  group: "", version: "v1", kind: "LimitRange", plural: "limitranges", namespaced: true,
  shortNames: ["limits"],
  // Quirk: upstream makes up a uuid (pkg/registry/core/limitrange/strategy.go).
  namedIfNameless: true,
  createOnUpdate: true,
  definition: "io.k8s.api.core.v1.LimitRange",
  doc: "Bounds and defaults for what one object of a namespace may ask for.",
  fields: {
    spec: LimitRangeSpec.pb(2).always("{}").doc("What pods, containers and claims of the namespace may ask for."),
  },
  defaults({ spec }) {
    for (const limit of spec.limits) {
      if (limit.type !== "Container") continue;
      if (limit.max !== undefined) limit.default = { ...limit.max, ...limit.default };
      limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest };
      if (Object.keys(limit.defaultRequest).length === 0) delete limit.defaultRequest;
    }
  },
  *rules({ spec }) {
    const types = new Set<string>();
    for (const [i, limit] of spec.limits.entries()) {
      yield* limitProblems(limit, types.has(limit.type), `spec.limits[${i}]`);
      types.add(limit.type);
    }
  },
  columns: [nameColumn, createdAtColumn],
});
export interface LimitRange extends Resource<typeof LimitRange> {}

const limitTypes = ["Pod", "Container", "PersistentVolumeClaim"];
const lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;
function* limitProblems(limit: LimitRangeItem, again: boolean, path: string): Iterable<Problem> {
  const details = qualifiedName(limit.type);
  for (const detail of details) yield invalidValue(`${path}.type`, limit.type, detail);
  if (details.length === 0 && !limit.type.includes("/") && !limitTypes.includes(limit.type)) yield invalidValue(`${path}.type`, limit.type, "must be a standard limit type or fully qualified");
  if (again) yield duplicate(`${path}.type`, limit.type);
  const ofPods = limit.type === "Pod" || limit.type === "Container";
  const names = new Set<string>();
  for (const list of lists) {
    const given = Object.keys(limit[list] ?? {});
    if (limit.type === "Pod" && (list === "default" || list === "defaultRequest")) {
      if (given.length > 0) yield forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'");
      continue;
    }
    for (const name of given) {
      yield* ofPods ? validateResourceName(name, `${path}.${list}[${name}]`) : validateAnyResourceName(name, `${path}.${list}[${name}]`);
      names.add(name);
    }
  }
  if (limit.type === "PersistentVolumeClaim" && limit.min?.["storage"] === undefined && limit.max?.["storage"] === undefined) yield required(`${path}.limits`, "either minimum or maximum storage value is required, but neither was provided");
  for (const name of names) yield* boundProblems(limit, name, path);
}
function* boundProblems(limit: LimitRangeItem, name: string, path: string): Iterable<Problem> {
  const pod = limit.type === "Pod";
  const amount = (list: (typeof lists)[number]): string | undefined => (pod && list.startsWith("default") ? undefined : getOwn(limit[list] ?? {}, name));
  const [min, max, standard, request, ratio] = [amount("min"), amount("max"), amount("default"), amount("defaultRequest"), amount("maxLimitRequestRatio")];
  const over = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
  if (over(min, max)) yield invalidValue(`${path}.min[${name}]`, min, `min value ${min} is greater than max value ${max}`);
  if (over(min, request)) yield invalidValue(`${path}.defaultRequest[${name}]`, request, `min value ${min} is greater than default request value ${request}`);
  if (over(request, max)) yield invalidValue(`${path}.defaultRequest[${name}]`, request, `default request value ${request} is greater than max value ${max}`);
  if (over(request, standard)) yield invalidValue(`${path}.defaultRequest[${name}]`, request, `default request value ${request} is greater than default limit value ${standard}`);
  if (over(min, standard)) yield invalidValue(`${path}.default[${name}]`, min, `min value ${min} is greater than default value ${standard}`);
  if (over(standard, max)) yield invalidValue(`${path}.default[${name}]`, max, `default value ${standard} is greater than max value ${max}`);
  if (ratio !== undefined) {
    if (compareQuantities(ratio, "1") < 0) yield invalidValue(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`);
    if (min !== undefined && max !== undefined) {
      const most = quantityMilli(max) / quantityMilli(min);
      if (quantityMilli(ratio) / 1000 > most) yield invalidValue(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
    }
  }
  if (!overcommits(name) && standard !== undefined && request !== undefined && compareQuantities(standard, request) !== 0) yield invalidValue(`${path}.defaultRequest[${name}]`, request, `default value ${standard} must equal to defaultRequest value ${request} in ${name}`);
}
