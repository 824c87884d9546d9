/** MutatingAdmissionPolicies: changes in CEL to what is written (apiserver pkg/admission/plugin/policy/mutating). */
import { ApiError } from "../../../base/api-error.ts";
import { sameJson, setOwn, type Json, type JsonObject } from "../../../base/json.ts";
import { stringifyJson } from "../../../base/json-codec.ts";
import { messageOf } from "../../../base/log.ts";
import type { MutatingAdmissionPolicy } from "../../../kinds/admissionregistration/mutatingadmissionpolicy.ts";
import type { MutatingAdmissionPolicyBinding } from "../../../kinds/admissionregistration/mutatingadmissionpolicybinding.ts";
import { applyWithoutOwner } from "../../../schema/apply-unowned.ts";
import { renderKind } from "../../../schema/apply-validate.ts";
import { DecodeError } from "../../../schema/decode.ts";
import { jsonPatchOf } from "../../../schema/json-patch.ts";
import { forbidden, internal } from "../../errors.ts";
import { setServedDefaults } from "../../strategy.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission.ts";
import { isExempt } from "../webhooks/match.ts";
import { type Form, refusedName, replaceContent } from "../webhooks/review.ts";
import { anyBinding, inputOf, invocationsOf, type Invocation, type PolicyInput, type PolicyOptions } from "./match.ts";

export type MutatingSpec = MutatingAdmissionPolicy["spec"];
export type Mutation = { readonly apply: JsonObject } | { readonly patch: Json } | { readonly problem: string };
export type MutatingPolicy = { matches(input: PolicyInput): Promise<boolean | { readonly problem: string }>; readonly mutations: readonly ((input: PolicyInput) => Promise<Mutation>)[] };

/** Policies kept compiled. */
const policiesMax = 1_000;

/** What is remembered between the two passes over one request: who wants to be asked again when others change the object. */
type Pass = { readonly asked: Set<string>; readonly again: Set<string>; output: string; wanted: boolean };

/** The step before the webhooks, and the one after them. `changed`: whether one of them has changed the object. */
export function mutatingPolicies(options: PolicyOptions): { readonly first: AdmissionStep; readonly again: AdmissionStep; readonly changed: (request: AdmissionRequest) => boolean } {
  const compiled = new Map<string, { readonly generation: number; readonly policy: MutatingPolicy }>();
  const policyOf = async ({ metadata, spec }: MutatingAdmissionPolicy): Promise<MutatingPolicy> => {
    const uid = metadata.uid ?? "", generation = metadata.generation ?? 0;
    const known = compiled.get(uid);
    if (known?.generation === generation) return known.policy;
    const policy: MutatingPolicy = (await options.loadCel?.())?.mutatingPolicy(spec) ?? { matches: async () => ({ problem: "this server has no CEL" }), mutations: [] };
    if (compiled.size >= policiesMax) compiled.clear();
    compiled.set(uid, { generation, policy });
    return policy;
  };
  const passes = new WeakMap<AdmissionRequest, Pass>();

  const run = async (request: AdmissionRequest, pass: Pass, isAgain: boolean): Promise<void> => {
    const failures: { readonly message: string; readonly reason: "Forbidden" | "Invalid" }[] = [];
    const askAgain = (): void => {
      for (const key of pass.asked) pass.again.add(key);
      pass.asked.clear();
    };
    let changed = false;
    for await (const asked of invocationsOf<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>(request, options, { policies: "mutatingadmissionpolicies", bindings: "mutatingadmissionpolicybindings" })) {
      const { policy, binding } = asked;
      const fail = (why: string, reason: "Forbidden" | "Invalid"): void => {
        if (policy.spec.failurePolicy === "Ignore") return;
        failures.push({ message: binding === undefined ? `policy ${JSON.stringify(policy.metadata.name)} denied request: ${why}` : `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${why}`, reason });
      };
      if ("message" in asked) {
        fail(asked.message, "Forbidden");
        continue;
      }
      const key = keyOf(asked);
      if (isAgain && !pass.again.has(key)) continue;
      const evaluate = await policyOf(policy);
      const matches = await evaluate.matches(inputOf(asked, request, options));
      if (matches === false) continue;
      if (matches !== true) {
        fail(matches.problem, "Invalid");
        continue;
      }
      const before = stringifyJson(request.object ?? null);
      for (const mutation of request.object === undefined ? [] : evaluate.mutations) {
        const why = await mutate(asked.form, request, await mutation(inputOf(asked, request, options)), options);
        if (why === undefined) changed = true;
        else fail(why, "Invalid");
        await asked.form.ready();
      }
      if (before !== stringifyJson(request.object ?? null)) askAgain();
      if (policy.spec.reinvocationPolicy === "IfNeeded") pass.asked.add(key);
    }
    if (changed) {
      askAgain();
      pass.wanted = true;
    }
    pass.output = stringifyJson(request.object ?? null);
    if (failures.length > 0) throw refusal(request, failures);
  };

  return {
    first: {
      name: "MutatingAdmissionPolicy",
      mutate(request) {
        if (isExempt(request.kind) || !anyBinding(request, "mutatingadmissionpolicybindings")) return undefined;
        const pass: Pass = { asked: new Set(), again: new Set(), output: "", wanted: false };
        passes.set(request, pass);
        return run(request, pass, false);
      },
    },
    again: {
      name: "MutatingAdmissionPolicy, again", isOurs: true,
      mutate(request) {
        const pass = passes.get(request);
        if (pass === undefined) return undefined;
        if (stringifyJson(request.object ?? null) !== pass.output) for (const key of pass.asked) pass.again.add(key);
        return pass.again.size > 0 ? run(request, pass, true) : undefined;
      },
    },
    changed: request => passes.get(request)?.wanted === true,
  };
}

function keyOf({ policy, binding, param }: Invocation<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>): string {
  const { name = "", namespace = "" } = ((param as { readonly metadata?: { readonly name?: string; readonly namespace?: string } } | null)?.metadata ?? {});
  return JSON.stringify([policy.metadata.name, binding.metadata.name, namespace, name]);
}

/** Changes the request's object; what keeps it from that, if something does. */
async function mutate(form: Form, request: AdmissionRequest, mutation: Mutation, { registry }: PolicyOptions): Promise<string | undefined> {
  if ("problem" in mutation) return mutation.problem;
  const shown = form.show(request.object);
  let next: Json;
  if ("patch" in mutation) {
    const patched = jsonPatchOf(shown, mutation.patch);
    // A test that fails means that the patch is not for this object.
    if (!patched.ok) return patched.isTest ? undefined : `JSON Patch: ${patched.why}`;
    next = patched.document;
  } else {
    const node = form.node ?? registry().all().find(({ kind, group, version }) => kind.kind === form.kind.kind && group === form.kind.group && version === form.kind.version)?.node;
    // Upstream's schemas of a group have what is served there: no Scale, Eviction or TokenRequest.
    if (node === undefined) return `error applying patch: failed to convert patch object to typed object: no corresponding type for ${renderKind(shown)}`;
    const { apiVersion, kind } = shown;
    const applied = applyWithoutOwner(node, shown, { ...mutation.apply, ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }) });
    if (typeof applied === "string") return `error applying patch: ${applied}`;
    next = applied;
  }
  if (sameJson(shown, next)) return undefined;
  // Quirk: upstream's converter of custom resources knows no Scale.
  if (form.kind.kind === "Scale" && request.kind.custom === true) return "request to convert CR to an invalid group/version: autoscaling/v1";
  try {
    await replaceContent(request, form, next, "patch" in mutation ? { strict: request.served?.kind.custom !== true } : { words: "applied" });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    if ("apply" in mutation) return `unable to convert unstructured object to ${renderKind(shown)}: ${messageOf(error)}`;
    throw internal(messageOf(error));
  }
  if (request.served !== undefined && request.object.kind === request.kind.kind) setServedDefaults(request.served, request.object);
  setOwn(request.object, "kind", request.object.kind);
  return undefined;
}

/** The first failure speaks, all are told. */
function refusal(request: AdmissionRequest, failures: readonly { readonly message: string; readonly reason: "Forbidden" | "Invalid" }[]): ApiError {
  const { kind, served } = request;
  const { details } = forbidden({ group: served?.group ?? kind.group, resource: kind.plural }, refusedName(request), "");
  return new ApiError(failures[0]!.reason, failures[0]!.message, { ...details, causes: failures.map(({ message }) => ({ message })) }, 403);
}
