/** Mutating and validating admission webhooks (apiserver pkg/admission/plugin/webhook). */
import { ApiError } from "../../../base/api-error.ts";
import { decodeBase64 } from "../../../base/base64.ts";
import { isObject, type Json, type JsonObject } from "../../../base/json.ts";
import { parseJson, stringifyJson } from "../../../base/json-codec.ts";
import type { Clock } from "../../../base/clock.ts";
import { messageOf, type Log } from "../../../base/log.ts";
import type { Random } from "../../../base/random.ts";
import { DecodeError } from "../../../schema/decode.ts";
import { jsonPatchOf } from "../../../schema/json-patch.ts";
import { goQuote } from "../../../schema/problem.ts";
import { forbidden, internal } from "../../errors.ts";
import type { Authorizer } from "../../context.ts";
import type { LoadCel } from "../../cel.ts";
import type { Pace } from "../../pace.ts";
import type { Registry } from "../../registry.ts";
import { setServedDefaults } from "../../strategy.ts";
import { authorizerInput } from "../authorizer-input.ts";
import { callOf, type PostJson } from "../../webhook.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission.ts";
import type { AdmissionFigures } from "../figures.ts";
import { readAnswer, type Answered } from "./answer.ts";
import { isExempt, matchRules, matchSelectors, type Hook } from "./match.ts";
import { type Form, formsOf, replaceContent, reviewOf } from "./review.ts";

export type WebhookOptions = { readonly figures: () => AdmissionFigures | undefined; readonly registry: () => Registry; readonly post: PostJson; readonly random: Random; readonly log: Log; readonly clock: Clock; readonly loadCel: LoadCel | undefined; readonly authorizer: Authorizer; readonly pace: Pace };

const defaultSeconds = 10;

export type WebhookSteps = { readonly mutating: AdmissionStep; readonly again: AdmissionStep; readonly validating: AdmissionStep; /** Whether one of them has changed the object. */ readonly changed: (request: AdmissionRequest) => boolean };

/** They come after everything built in, so that they see what will be stored. `again`: for those who want to see what others have made of it since. */
export function webhookSteps(options: WebhookOptions): WebhookSteps {
  const passes = new WeakMap<AdmissionRequest, Pass>();
  return { mutating: mutatingWebhooks(options, passes), again: webhooksAgain(options, passes), validating: validatingWebhooks(options), changed: request => passes.get(request)?.changed === true };
}

/** What is remembered between the two passes over one request. `previously`: who was asked and would be again; `again`: who will be. */
type Pass = { readonly hooks: readonly Hook[]; readonly previously: Set<Hook>; readonly again: Set<Hook>; changed: boolean; output: string };

function webhooksAgain(options: WebhookOptions, passes: WeakMap<AdmissionRequest, Pass>): AdmissionStep {
  return {
    name: "MutatingAdmissionWebhook, again", isOurs: true,
    mutate(request) {
      const pass = passes.get(request);
      if (pass === undefined) return undefined;
      if (stringifyJson(request.object ?? null) !== pass.output) addAll(pass.again, pass.previously);
      return pass.again.size === 0 ? undefined : elsewhere(options, request, () => askAll(options, request, pass, true));
    },
  };
}
function addAll(set: Set<Hook>, more: Set<Hook>): void {
  for (const hook of more) set.add(hook);
  more.clear();
}

function mutatingWebhooks(options: WebhookOptions, passes: WeakMap<AdmissionRequest, Pass>): AdmissionStep {
  return {
    name: "MutatingAdmissionWebhook",
    mutate(request) {
      const hooks = hooksFor(request, "mutatingwebhookconfigurations");
      if (hooks.length === 0) return undefined;
      const pass: Pass = { hooks, previously: new Set(), again: new Set(), changed: false, output: "" };
      passes.set(request, pass);
      return elsewhere(options, request, () => askAll(options, request, pass, false));
    },
  };
}
/** In order. Those asked before hear of what later ones have made of the object, if they want to (mutating/dispatcher.go, reinvocationcontext.go). */
async function askAll(options: WebhookOptions, request: AdmissionRequest, pass: Pass, isAgain: boolean): Promise<void> {
  for (const [index, hook] of pass.hooks.entries()) {
    if (isAgain && !pass.again.has(hook)) continue;
    const before = stringifyJson(request.object ?? null);
    if (!(await callMutating(options, request, hook, `round_${isAgain ? 1 : 0}_index_${index}`))) continue;
    if (stringifyJson(request.object ?? null) !== before) {
      addAll(pass.again, pass.previously);
      pass.changed = true;
    }
    if (hook.reinvocationPolicy === "IfNeeded") pass.previously.add(hook);
  }
  pass.output = stringifyJson(request.object ?? null);
}

function validatingWebhooks(options: WebhookOptions): AdmissionStep {
  return {
    name: "ValidatingAdmissionWebhook",
    validate(request) {
      const hooks = hooksFor(request, "validatingwebhookconfigurations");
      return hooks.length === 0 ? undefined : elsewhere(options, request, () => Promise.all(hooks.map((hook, index) => callOnce(options, request, hook, `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`, false))));
    },
  };
}

/** What webhooks take is not the server's own time; those that are asked side by side count once. */
async function elsewhere({ clock }: WebhookOptions, { trail }: AdmissionRequest, work: () => Promise<unknown>): Promise<void> {
  const began = clock.monotonic();
  try {
    await work();
  } finally {
    if (trail !== undefined) trail.elsewhereMs = (trail.elsewhereMs ?? 0) + clock.monotonic() - began;
  }
}

const noHooks: readonly Hook[] = [];
function hooksFor(request: AdmissionRequest, resource: string): readonly Hook[] {
  if (isExempt(request.kind)) return noHooks;
  const configurations = request.read.list("admissionregistration.k8s.io", resource, "");
  return configurations.length === 0 ? noHooks : configurations.flatMap(({ webhooks = [] }) => webhooks as Hook[]);
}

/** True if the hook was asked. `place` names the call in audit annotations. */
async function callMutating(options: WebhookOptions, request: AdmissionRequest, hook: Hook, place: string): Promise<boolean> {
  const key = `failed-open.mutation.webhook.admission.k8s.io/${place}`;
  const asked = await callOnce(options, request, hook, key, true);
  if (asked === undefined) return false;
  const { answer: { patch, patchType }, form } = asked;
  if (patch === "") return true;
  let operations: Json;
  try {
    operations = operationsOf(patch);
  } catch (error) {
    failOpenOrThrow(options, request, hook, key, `received undecodable patch in webhook response: ${messageOf(error)}`);
    return true;
  }
  if (Array.isArray(operations) && operations.length === 0) return true;
  if (request.object === undefined) throw internal(`admission webhook ${goQuote(hook.name)} attempted to modify the object, which is not supported for this operation`);
  if (patchType !== "JSONPatch") {
    failOpenOrThrow(options, request, hook, key, `unsupported patch type ${goQuote(patchType)}`);
    return true;
  }
  // What does not apply is nobody's to ignore.
  const patched = jsonPatchOf(form.show(request.object), operations);
  if (!patched.ok) throw internal(patched.why);
  try {
    await replaceContent(request, form, patched.document);
  } catch (error) {
    if (error instanceof DecodeError) throw internal(messageOf(error));
    throw error;
  }
  if (request.served !== undefined && request.object.kind === request.kind.kind) setServedDefaults(request.served, request.object);
  return true;
}
function operationsOf(patch: string): Json {
  // Go reads null as no operations: Knative's webhooks say so.
  const operations = parseJson(new TextDecoder().decode(decodeBase64(patch))).value ?? [];
  const odd = Array.isArray(operations) ? (operations as readonly Json[]).find(each => !isObject(each) && each !== null) : operations;
  if (odd !== undefined) throw new Error(`json: cannot unmarshal ${Array.isArray(odd) ? "array" : typeof odd === "boolean" ? "bool" : typeof odd} into Go value of type jsonpatch.${Array.isArray(operations) ? "Operation" : "Patch"}`);
  return operations;
}

type Asked = { readonly answer: Answered; readonly form: Form };

/** Asks one hook; `undefined` when it does not match or failed open. Throws what refuses the request. `key`: the audit annotation of having failed open. */
async function callOnce(options: WebhookOptions, request: AdmissionRequest, hook: Hook, key: string, mutating: boolean): Promise<Asked | undefined> {
  const forms = formsOf(options, request);
  const form = matchRules(hook, request, forms) as Form | undefined;
  if (form === undefined || !matchSelectors(hook, request)) return undefined;
  await form.ready();
  if ((hook.matchConditions?.length ?? 0) > 0 && !(await conditionsHold(options, request, hook, form, forms[0]!))) return undefined;
  let answer: Answered;
  const began = options.clock.monotonic(), told = (refusal?: { readonly code: number; readonly failed: boolean }): void => options.figures()?.webhook(hook.name, mutating, request.operation, began, refusal);
  try {
    answer = await ask(options, request, hook, form, forms[0]!, mutating);
  } catch (error) {
    const ignored = hook.failurePolicy === "Ignore";
    told(ignored ? undefined : { code: 503, failed: true });
    if (ignored) options.figures()?.failedOpen(hook.name, mutating);
    failOpenOrThrow(options, request, hook, key, messageOf(error));
    return undefined;
  }
  for (const [name, value] of answer.annotations) request.annotate?.(`${hook.name}/${name}`, value);
  for (const warning of answer.warnings) request.warn(warning);
  const refusal = answer.allowed ? undefined : denied(hook.name, answer.status);
  told(refusal && { code: refusal.code, failed: false });
  if (refusal !== undefined) throw refusal;
  return { answer, form };
}

async function ask(options: WebhookOptions, request: AdmissionRequest, hook: Hook, form: Form, own: Form, mutating: boolean): Promise<Answered> {
  const uid = options.random.uuid(), seconds = hook.timeoutSeconds ?? defaultSeconds;
  const version = hook.admissionReviewVersions.find(each => each === "v1" || each === "v1beta1") ?? "v1";
  const review = stringifyJson({ kind: "AdmissionReview", apiVersion: `admission.k8s.io/${version}`, request: reviewOf(request, form, own, uid) });
  return readAnswer(post(options, hook, review, seconds, request), { uid, version, mutating });
}

/** Rejects also for what cannot even be sent. */
async function post(options: WebhookOptions, hook: Hook, review: string, seconds: number, { read }: AdmissionRequest): ReturnType<PostJson> {
  return options.post(callOf(hook.clientConfig, review, seconds, read, options.random));
}

/** Conditions that cannot be judged refuse the request where the hook must not be left out (apiserver plugin/webhook/generic/webhook.go). */
async function conditionsHold({ loadCel, authorizer, pace }: WebhookOptions, request: AdmissionRequest, { matchConditions = [], failurePolicy }: Hook, form: Form, own: Form): Promise<boolean> {
  const review = reviewOf(request, form, own, "") as JsonObject;
  const values = new Map<string, Json>([["object", review.object ?? null], ["oldObject", review.oldObject ?? null], ["request", review]]);
  const hold = (await (await loadCel?.())?.conditions(matchConditions.map(({ expression }) => expression), { values, pace, ...authorizerInput(authorizer, request, form) })) ?? { problem: "this server has no CEL" };
  if (typeof hold === "boolean") return hold;
  if (failurePolicy !== "Ignore") throw forbidden(own, request.name, hold.problem);
  return false;
}

function failOpenOrThrow({ log }: WebhookOptions, request: AdmissionRequest, hook: Hook, key: string, why: string): void {
  if (hook.failurePolicy !== "Ignore") throw internal(`failed calling webhook ${goQuote(hook.name)}: ${why}`);
  request.annotate?.(key, hook.name);
  log.warn("a webhook failed and was ignored", { webhook: hook.name, error: why });
}

/** apiserver pkg/admission/plugin/webhook/errors/statuserror.go */
function denied(name: string, status: Json | undefined): ApiError {
  const given = isObject(status) ? status : {};
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const [message, reason] = [given.message, given.reason].map(text => (typeof text === "string" ? text : ""));
  const code = typeof given.code === "number" && given.code >= 400 ? given.code : 400;
  const said = message !== "" ? `${by}: ${message}` : reason !== "" ? `${by}: ${reason}` : `${by} without explanation`;
  return new ApiError((reason ?? "") as ConstructorParameters<typeof ApiError>[0], said, isObject(given.details) ? (given.details as never) : undefined, code);
}
