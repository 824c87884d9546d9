/** The mandatory objects of flow control stay what they are (kubernetes pkg/apis/flowcontrol/validation). */
import { sameJson, type Json } from "../../base/json.ts";
import { FlowSchema } from "../../kinds/flowcontrol/flowschema.ts";
import { PriorityLevelConfiguration } from "../../kinds/flowcontrol/prioritylevelconfiguration.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { decode } from "../../schema/decode.ts";
import { goValue } from "../../schema/go-value.ts";
import { invalidValue } from "../../schema/problem.ts";
import type { Hooks } from "../core.ts";
import { setDefaults } from "../strategy.ts";
import { autoUpdate, exemptName, flowGroup, mandatoryLevels, mandatorySchemas, type Named } from "./objects.ts";

/** An object as it is stored, with its defaults. */
export function completeOf(kind: AnyKind, { metadata: { name }, spec }: Named<Json>): any {
  const decoded: any = decode(kind.schema.node, { apiVersion: `${flowGroup}/v1`, kind: kind.kind, metadata: { name, annotations: { [autoUpdate]: "true" } }, spec }).object;
  setDefaults(kind, decoded);
  return decoded;
}

export const flowHooks: readonly (readonly [AnyKind, Hooks])[] = [[FlowSchema, fixed(FlowSchema, mandatorySchemas)], [PriorityLevelConfiguration, fixed(PriorityLevelConfiguration, mandatoryLevels)]];

function fixed(kind: AnyKind, mandatory: readonly Named<Json>[]): Hooks {
  return {
    problems({ metadata: { name }, spec }) {
      const wanted = mandatory.find(({ metadata }) => metadata.name === name);
      if (wanted === undefined) return undefined;
      const complete = completeOf(kind, wanted).spec;
      const isOpen = kind === PriorityLevelConfiguration && name === exemptName;
      if (sameJson(isOpen ? { ...spec, exempt: complete.exempt } : spec, complete)) return undefined;
      return Promise.resolve([invalidValue("spec", goValue(kind.schema.node.fields!["spec"]!, spec), `spec of '${name}'${isOpen ? " except the 'spec.exempt' field" : ""} must equal the fixed value`)]);
    },
  };
}
