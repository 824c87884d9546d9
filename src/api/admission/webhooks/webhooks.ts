/** Mutating and validating admission webhooks (apiserver pkg/admission/plugin/webhook). */
import { ApiError } from "../../../base/api-error.ts";
import { decodeBase64 } from "../../../base/base64.ts";
import { isObject, setOwn, type Json, type JsonObject } from "../../../base/json.ts";
import { copyJson, parseJson, stringifyJson } from "../../../base/json-codec.ts";
import type { Clock } from "../../../base/clock.ts";
import { messageOf, type Log } from "../../../base/log.ts";
import type { Random } from "../../../base/random.ts";
import { apiVersionOf } from "../../../kinds/kind.ts";
import type { Node } from "../../../schema/t.ts";
import { decode } from "../../../schema/decode.ts";
import { jsonPatch } from "../../../schema/json-patch.ts";
import { forbidden, internal } from "../../errors.ts";
import type { Authorizer } from "../../context.ts";
import type { LoadCel } from "../../cel.ts";
import type { Pace } from "../../pace.ts";
import type { Registry, Served } from "../../registry.ts";
import { asServed, prepareServed } from "../../strategy.ts";
import { authorizerInput } from "../authorizer-input.ts";
import { callOf, type PostJson } from "../../webhook.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission.ts";
import { isExempt, matchRules, matchSelectors, type Hook, type Seen } from "./match.ts";

export type WebhookOptions = { readonly registry: () => Registry; readonly post: PostJson; readonly random: Random; readonly log: Log; readonly clock: Clock; readonly loadCel: LoadCel | undefined; readonly authorizer: Authorizer; readonly pace: Pace };

const defaultSeconds = 10;

export type WebhookSteps = { readonly mutating: AdmissionStep; readonly again: AdmissionStep; readonly validating: AdmissionStep };

/** They come after everything built in, so that they see what will be stored. `again`: for those who want to see what others have made of it since. */
export function webhookSteps(options: WebhookOptions): WebhookSteps {
  const passes = new WeakMap<AdmissionRequest, Pass>();
  return { mutating: mutatingWebhooks(options, passes), again: webhooksAgain(options, passes), validating: validatingWebhooks(options) };
}

/** Who was asked, and what the object was then. */
type Pass = { readonly called: readonly Hook[]; readonly output: string };

function webhooksAgain(options: WebhookOptions, passes: WeakMap<AdmissionRequest, Pass>): AdmissionStep {
  return {
    name: "MutatingAdmissionWebhook, again",
    mutate(request) {
      const pass = passes.get(request);
      return pass === undefined || stringifyJson(request.object ?? null) === pass.output ? undefined : elsewhere(options, request, () => askAgain(request, pass));
    },
  };
  async function askAgain(request: AdmissionRequest, pass: Pass): Promise<void> {
    for (const hook of pass.called) if (hook.reinvocationPolicy === "IfNeeded") await callMutating(options, request, hook);
  }
}

function mutatingWebhooks(options: WebhookOptions, passes: WeakMap<AdmissionRequest, Pass>): AdmissionStep {
  return {
    name: "MutatingAdmissionWebhook",
    mutate(request) {
      const hooks = hooksFor(request, "mutatingwebhookconfigurations");
      return hooks.length === 0 ? undefined : elsewhere(options, request, () => ask(request, hooks));
    },
  };
  async function ask(request: AdmissionRequest, hooks: readonly Hook[]): Promise<void> {
    const called: Hook[] = [];
    let changedSince = new Set<Hook>();
    for (const hook of hooks) {
      const before = stringifyJson(request.object ?? null);
      if (!(await callMutating(options, request, hook))) continue;
      // Those asked before see what later ones have made of the object, if they want to.
      if (stringifyJson(request.object ?? null) !== before) changedSince = new Set(called);
      called.push(hook);
    }
    for (const hook of called) if (changedSince.has(hook) && hook.reinvocationPolicy === "IfNeeded") await callMutating(options, request, hook);
    passes.set(request, { called, output: stringifyJson(request.object ?? null) });
  }
}

function validatingWebhooks(options: WebhookOptions): AdmissionStep {
  return {
    name: "ValidatingAdmissionWebhook",
    validate(request) {
      const hooks = hooksFor(request, "validatingwebhookconfigurations");
      return hooks.length === 0 ? undefined : elsewhere(options, request, () => Promise.all(hooks.map(hook => callOnce(options, request, hook))));
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

/** True if the hook was asked. */
async function callMutating(options: WebhookOptions, request: AdmissionRequest, hook: Hook): Promise<boolean> {
  const asked = await callOnce(options, request, hook);
  if (asked === undefined) return false;
  const { response, form } = asked;
  const text = response.patch;
  if (typeof text !== "string" || text === "" || request.object === undefined) return true;
  try {
    if (response.patchType !== "JSONPatch") throw new Error(`webhook returned response.patchType of ${stringifyJson(response.patchType ?? null)}, expected "JSONPatch"`);
    const operations = parseJson(new TextDecoder().decode(decodeBase64(text) ?? new Uint8Array())).value;
    await replaceContent(request, form, jsonPatch(form.show(request.object), operations));
  } catch (error) {
    failOpenOrThrow(options, hook, error);
  }
  return true;
}

/** The pipeline holds on to the object itself: its content is exchanged. */
export async function replaceContent({ object }: AdmissionRequest, form: Form, patched: Json): Promise<void> {
  const next = await form.read(patched);
  for (const key of Object.keys(object)) delete object[key];
  for (const [key, value] of Object.entries(next)) setOwn(object, key, value);
}

/** How a hook sees the object, and how what it made of it is read again. */
export type Form = Seen & {
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  /** The object's schema; absent for a subresource's body. */
  readonly node?: Node;
  /** Must come before `show`: where another webhook converts, it is asked here. */
  ready(): Promise<void>;
  show(object: any): JsonObject;
  read(value: Json): Promise<any>;
};

export function formsOf(options: Pick<WebhookOptions, "registry">, request: AdmissionRequest): readonly Form[] {
  const { kind, subresource, object } = request;
  const registry = options.registry();
  // A subresource's body (Binding, Eviction, PodExecOptions, …) is shown as it is.
  const body = subresource !== "" && isObject(object) && object.kind !== kind.kind ? (object as { readonly apiVersion?: string; readonly kind?: string }) : undefined;
  const own = request.served ?? registry.of(kind);
  const all: readonly Served[] = own === undefined ? [] : [own, ...registry.all().filter(other => other.prefix === own.prefix && other.kind.kind === kind.kind && other !== own)];
  return all.map((served): Form => {
    if (body !== undefined) {
      const [group, version] = splitVersion(body.apiVersion ?? "v1");
      return { group: served.group, version: served.version, resource: served.resource, kind: { group, version, kind: body.kind ?? "" }, ready: async () => undefined, show: each => each as JsonObject, read: async value => copyJson(value) };
    }
    return {
      group: served.group, version: served.version, resource: served.resource, kind: { group: served.group, version: served.version, kind: kind.kind },
      node: served.node, ready: () => prepareServed(served, [request.object, request.previous].filter(each => each !== undefined)),
      show: each => ({ ...(asServed(served, each) as JsonObject), apiVersion: served.apiVersion, kind: kind.kind }),
      read: async value => {
        const decoded = decode(served.node, value).object;
        if (kind.conversion !== undefined) return own === undefined || served === own ? decoded : (await kind.conversion.convert([decoded], own.apiVersion, false))[0];
        const stored = served.convert === undefined ? decoded : kind.custom === true ? served.convert.toStored(decoded) : decode(kind.schema.node, served.convert.toStored(decoded)).object;
        return { ...stored, apiVersion: apiVersionOf(kind), kind: kind.kind };
      },
    };
  });
}

function splitVersion(apiVersion: string): readonly [string, string] {
  const at = apiVersion.indexOf("/");
  return at < 0 ? ["", apiVersion] : [apiVersion.slice(0, at), apiVersion.slice(at + 1)];
}

type Asked = { readonly response: { readonly [key: string]: Json }; readonly form: Form };

/** Asks one hook; `undefined` when it does not match or failed open. Throws what refuses the request. */
async function callOnce(options: WebhookOptions, request: AdmissionRequest, hook: Hook): Promise<Asked | undefined> {
  const forms = formsOf(options, request);
  const form = matchRules(hook, request, forms) as Form | undefined;
  if (form === undefined || !matchSelectors(hook, request)) return undefined;
  await form.ready();
  if ((hook.matchConditions?.length ?? 0) > 0 && !(await conditionsHold(options, request, hook, form, forms[0]!))) return undefined;
  const uid = options.random.uuid();
  let response: { readonly [key: string]: Json };
  try {
    response = await ask(options, request, hook, form, forms[0]!, uid);
  } catch (error) {
    failOpenOrThrow(options, hook, error);
    return undefined;
  }
  for (const warning of Array.isArray(response.warnings) ? response.warnings : []) if (typeof warning === "string") request.warn(warning);
  if (response.allowed !== true) throw denied(hook.name, response.status);
  return { response, form };
}

async function ask(options: WebhookOptions, request: AdmissionRequest, hook: Hook, form: Form, own: Form, uid: string): Promise<{ readonly [key: string]: Json }> {
  const seconds = hook.timeoutSeconds ?? defaultSeconds;
  const version = hook.admissionReviewVersions.find(each => each === "v1" || each === "v1beta1") ?? "v1";
  const review = stringifyJson({ kind: "AdmissionReview", apiVersion: `admission.k8s.io/${version}`, request: reviewOf(request, form, own, uid) });
  const { status, body } = await options.post(callOf(hook.clientConfig, review, seconds, request.read, options.random));
  if (status !== 200) throw new Error(`the server responded with the status code ${status}`);
  const answer = parseJson(body).value;
  const response = isObject(answer) ? answer.response : undefined;
  if (!isObject(response)) throw new Error("webhook response was absent");
  if (response.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${stringifyJson(response.uid ?? "")}`);
  return response;
}

export function reviewOf(request: AdmissionRequest, form: Form, own: Form, uid: string): Json {
  const { operation, subresource, name, namespace, user, dryRun, object, previous } = request;
  const resource = ({ group, version, resource: plural }: Seen): Json => ({ group, version, resource: plural });
  const { name: username, uid: userUid, groups, extra } = user;
  return {
    uid, kind: form.kind, resource: resource(form), ...(subresource === "" ? {} : { subResource: subresource }),
    requestKind: own.kind, requestResource: resource(own), ...(subresource === "" ? {} : { requestSubResource: subresource }),
    ...(name === "" ? {} : { name }), ...(namespace === "" ? {} : { namespace }), operation,
    userInfo: { ...(username === "" ? {} : { username }), ...(userUid === "" ? {} : { uid: userUid }), ...(groups.length === 0 ? {} : { groups: [...groups] }), ...(Object.keys(extra).length === 0 ? {} : { extra: extra as unknown as Json }) },
    object: object === undefined ? null : form.show(object), oldObject: previous === undefined ? null : form.show(previous), dryRun,
    options: operation === "CONNECT" ? null : { kind: `${operation.charAt(0)}${operation.slice(1).toLowerCase()}Options`, apiVersion: "meta.k8s.io/v1", ...(dryRun ? { dryRun: ["All"] } : {}) },
  };
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

function failOpenOrThrow({ log }: WebhookOptions, hook: Hook, error: unknown): void {
  const why = messageOf(error);
  if (hook.failurePolicy !== "Ignore") throw internal(`failed calling webhook ${JSON.stringify(hook.name)}: failed to call webhook: ${why}`);
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
