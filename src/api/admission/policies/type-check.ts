/** Checks a policy's expressions against the schemas of what it is about: warnings in its status, no more (apiserver pkg/admission/plugin/policy/validating/typechecking.go). Part of what is loaded with CEL. */
import { compileExpression } from "../../../schema/cel/environment.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { authorizerType } from "../../../schema/cel/library/authz.ts";
import { type ObjectField, type Type, types } from "../../../schema/cel/types.ts";
import { declOf } from "../../crd/rules-schema.ts";
import type { Schema } from "../../crd/schema.ts";
import type { Registry, Served } from "../../registry.ts";
import { declOfNode } from "./node-decl.ts";
import type { PolicySpec } from "./policies.ts";

export type ExpressionWarning = { readonly fieldRef: string; readonly warning: string };

/** Kinds that one rule is checked against. */
const kindsMax = 10;

/** What is wrong with rules and their messages, for each kind that the policy names. */
export function typeWarnings(spec: PolicySpec, registry: Registry, host: Host): readonly ExpressionWarning[] {
  const about = kindsOf(spec, registry).map(served => ({ name: `${served.group}/${served.version}, Kind=${served.kind.kind}`, type: typeOf(served) }));
  const params = spec.paramKind === undefined ? undefined : registry.all().find(each => each.apiVersion === spec.paramKind!.apiVersion && each.kind.kind === spec.paramKind!.kind);
  const warnings: ExpressionWarning[] = [];
  const check = (fieldRef: string, expression: string): void => {
    const found = about.flatMap(({ name, type }) => {
      const wrong = problemOf(expression, variablesOf(spec, type, params, host), host);
      return wrong === undefined ? [] : [`${name}: ${wrong}\n`];
    });
    if (found.length > 0) warnings.push({ fieldRef, warning: found.join("\n") });
  };
  for (const [i, { expression, messageExpression = "" }] of (spec.validations ?? []).entries()) {
    check(`spec.validations[${i}].expression`, expression);
    if (messageExpression !== "") check(`spec.validations[${i}].messageExpression`, messageExpression);
  }
  return warnings;
}

function problemOf(expression: string, variables: ReadonlyMap<string, Type>, host: Host): string | undefined {
  const compiled = compileExpression(expression, { variables, host });
  return compiled.ok ? undefined : `${compiled.checked === true ? "program instantiation" : "compilation"} failed: ${compiled.message}`;
}

/** Only what is named in full: wildcards and subresources are not checked. */
function kindsOf({ matchConstraints }: PolicySpec, registry: Registry): readonly Served[] {
  const found = new Map<string, Served>();
  const plain = (values: readonly string[] | undefined): readonly string[] => [...(values ?? [])].sort();
  for (const { apiGroups, apiVersions, resources } of matchConstraints?.resourceRules ?? []) {
    if ([...(apiGroups ?? []), ...(apiVersions ?? [])].some(each => each.includes("*"))) continue;
    let count = 0;
    for (const group of plain(apiGroups)) for (const version of plain(apiVersions)) for (const resource of plain(resources).filter(each => !/[*/]/.test(each))) {
      const served = registry.find(group, version, resource);
      if (served === undefined || count++ >= kindsMax) continue;
      found.set(`${group}\0${version}\0${served.kind.kind}`, served);
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, served]) => served);
}

function typeOf({ node, kind }: Served): Type {
  if (node.custom === undefined) return declOfNode(node, kind.kind).type;
  return declOf(node.custom.publish("v3") as Schema, kind.kind, true)?.type ?? types.dyn;
}

/** Each variable has the type of its expression, and knows those before it. */
function variablesOf(spec: PolicySpec, object: Type, params: Served | undefined, host: Host): ReadonlyMap<string, Type> {
  const fields = new Map<string, ObjectField>();
  const variables = new Map<string, Type>([
    ["object", object], ["oldObject", object], ["request", types.dyn], ["namespaceObject", types.dyn], ["authorizer", authorizerType], ["variables", { kind: "object", name: "kubernetes.variables", fields }],
    ...(spec.paramKind === undefined ? [] : [["params", params === undefined ? types.dyn : typeOf(params)] as const]),
  ]);
  for (const { name, expression } of spec.variables ?? []) {
    const compiled = compileExpression(expression, { variables, host });
    fields.set(name, { json: name, type: compiled.ok ? compiled.program.type : types.dyn });
  }
  return variables;
}
