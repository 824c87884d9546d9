/** Keeps the mandatory and suggested objects as they should be, and says which schemas point nowhere (kubernetes pkg/registry/flowcontrol/ensurer, apiserver apf_controller.go). */
import { isApiError } from "../../base/api-error.ts";
import { messageOf } from "../../base/log.ts";
import { sameJson, type Json } from "../../base/json.ts";
import { timeOf } from "../../base/time.ts";
import { must } from "../../base/assert.ts";
import { FlowSchema } from "../../kinds/flowcontrol/flowschema.ts";
import { PriorityLevelConfiguration } from "../../kinds/flowcontrol/prioritylevelconfiguration.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import type { Call, Core } from "../core.ts";
import { remove } from "../delete.ts";
import { keepInStep } from "../keep-in-step.ts";
import { patch } from "../patch.ts";
import { create, update } from "../write.ts";
import { completeOf } from "./mandatory.ts";
import { autoUpdate, exemptName, flowGroup, mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas, type Named } from "./objects.ts";

const producer = "api-priority-and-fairness-config-producer-v1";
const consumer = "api-priority-and-fairness-config-consumer-v1";
const user = { name: "system:apiserver", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };
/** Changes are gathered for so long, so that a fight with another writer is a slow one. */
const settleMs = 1_000;

/** Until `signal` aborts: whenever an object of this group changes. */
export async function keepFlowControl(core: Core, signal: AbortSignal): Promise<void> {
  if (core.registry.of(FlowSchema) === undefined) return;
  await keepInStep(core, { prefix: `/registry/${flowGroup}/`, settleMs }, () => ensureFlowControl(core, signal), signal);
}

/** Makes or mends everything once. A write that cannot be made is logged and tried again with the next change. */
export async function ensureFlowControl(core: Core, signal: AbortSignal): Promise<void> {
  for (const [kind, objects, always] of [
    [PriorityLevelConfiguration, suggestedLevels, false], [FlowSchema, suggestedSchemas, false], [PriorityLevelConfiguration, mandatoryLevels, true], [FlowSchema, mandatorySchemas, true],
  ] as const) await Promise.all(objects.map(object => attempt(core, `${kind.kind} ${object.metadata.name}`, () => ensure(core, kind, object, always, signal))));
  for (const [kind, wanted] of [[FlowSchema, [...mandatorySchemas, ...suggestedSchemas]], [PriorityLevelConfiguration, [...mandatoryLevels, ...suggestedLevels]]] as const) {
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    for (const { metadata } of core.reader.list(flowGroup, kind.plural, "")) {
      if (names.has(metadata.name) || parseBool(metadata.annotations?.[autoUpdate]) !== true) continue;
      await attempt(core, `${kind.kind} ${metadata.name}`, () => remove(core, callFor(core, kind, metadata.name, signal), { dryRun: false, uid: metadata.uid }));
    }
  }
  await Promise.all(core.reader.list(flowGroup, FlowSchema.plural, "").map(schema => attempt(core, `FlowSchema ${schema.metadata.name}`, () => tellWhetherDangling(core, schema, signal))));
}

async function ensure(core: Core, kind: AnyKind, wanted: Named<Json>, always: boolean, signal: AbortSignal): Promise<void> {
  const { name } = wanted.metadata;
  const call = callFor(core, kind, name, signal);
  const options = { dryRun: false, fieldManager: producer, fieldValidation: "Strict" } as const;
  const decoded = completeOf(kind, wanted);
  const stored = core.reader.get(flowGroup, kind.plural, "", name);
  if (stored === undefined) return void (await create(core, { ...call, name: "" }, decoded, options));
  if (revised(stored, decoded, always) === undefined) return;
  await update(core, call, current => structuredClone(revised(current, decoded, always) ?? current), options);
}

/** The stored object with the spec and annotation that it should have; `undefined`: it has them. */
export function revised(stored: any, wanted: any, always: boolean): any {
  const ours = always || (parseBool(stored.metadata.annotations?.[autoUpdate]) ?? stored.metadata.generation === 1);
  const spec = stored.metadata.name === exemptName && stored.spec.exempt !== undefined ? { ...wanted.spec, exempt: stored.spec.exempt } : wanted.spec;
  const mend = ours && !sameJson(stored.spec, spec);
  const mark = parseBool(stored.metadata.annotations?.[autoUpdate]) !== ours;
  if (!mend && !mark) return undefined;
  return { ...stored, ...(mend ? { spec } : {}), ...(mark ? { metadata: { ...stored.metadata, annotations: { ...stored.metadata.annotations, [autoUpdate]: String(ours) } } } : {}) };
}

async function tellWhetherDangling(core: Core, { metadata, spec, status }: any, signal: AbortSignal): Promise<void> {
  const level = spec.priorityLevelConfiguration.name as string;
  const found = core.reader.get(flowGroup, PriorityLevelConfiguration.plural, "", level) !== undefined || mandatoryLevels.some(({ metadata: { name } }) => name === level);
  const said = `This FlowSchema references the PriorityLevelConfiguration object named "${level}"`;
  const [value, reason, message] = found ? ["False", "Found", `${said} and it exists`] : ["True", "NotFound", `${said} but there is no such object`];
  const old = status?.conditions?.find(({ type }: any) => type === "Dangling");
  if (old?.status === value && old.reason === reason && old.message === message) return;
  const body = { apiVersion: `${flowGroup}/v1`, kind: "FlowSchema", metadata: { name: metadata.name }, status: { conditions: [{ type: "Dangling", status: value, lastTransitionTime: timeOf(core.clock.now()), reason, message }] } };
  await patch(core, { ...callFor(core, FlowSchema, metadata.name, signal), subresource: "status" }, { type: "apply", body, duplicates: [], force: true }, { dryRun: false, fieldManager: consumer, fieldValidation: "Ignore" });
}

async function attempt(core: Core, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // Somebody else wrote or removed it meanwhile: that change brings us back here.
    if (isApiError(error, "AlreadyExists") || isApiError(error, "Conflict") || isApiError(error, "NotFound")) return;
    core.log.warn("an object of flow control could not be put right", { what, error: messageOf(error) });
  }
}

function callFor(core: Core, kind: AnyKind, name: string, signal: AbortSignal): Call {
  return { served: must(core.registry.of(kind), `${kind.plural} are served`), namespace: "", name, subresource: "", user, userAgent: "kube-apiserver", limit: { signal }, warn() {} };
}

/** Go's strconv.ParseBool. */
function parseBool(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : /^(1|t|T|TRUE|true|True)$/.test(text) ? true : /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}
