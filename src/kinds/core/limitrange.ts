import { createdAtColumn, nameColumn } from "../columns.ts";
import { compareQuantities } from "../../base/quantity.ts";
import { duplicate, forbidden, invalidValue, type Problem } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
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
      const here = `spec.limits[${i}]`;
      if (types.has(limit.type)) yield duplicate(`${here}.type`, limit.type);
      types.add(limit.type);
      const most = (list: "min" | "default" | "defaultRequest", against: "max" | "default", text: string): readonly Problem[] => Object.entries(limit[list] ?? {}).flatMap(([name, amount]) => {
        const bound = limit[against]?.[name];
        return bound !== undefined && compareQuantities(amount, bound) > 0 ? [invalidValue(`${here}.${list}[${name}]`, amount, `${text} value ${bound}`)] : [];
      });
      yield* most("min", "max", `min value is greater than max`);
      yield* most("default", "max", "default value is greater than max");
      yield* most("defaultRequest", "max", "default request value is greater than max");
      yield* most("defaultRequest", "default", "default request value is greater than default limit");
      if (limit.type === "Pod") for (const name of ["default", "defaultRequest"] as const) if (limit[name] !== undefined) yield forbidden(`${here}.${name}`, "may not be specified when `type` is 'Pod'");
    }
  },
  columns: [nameColumn, createdAtColumn],
});
export interface LimitRange extends Resource<typeof LimitRange> {}
