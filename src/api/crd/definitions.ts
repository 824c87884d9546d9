/** The life of CustomResourceDefinitions: names accepted, established, served, and taken away with all their objects (apiextensions pkg/controller). */
import { stringifyJson } from "../../base/json-codec.ts";
import { isApiError } from "../../base/api-error.ts";
import { must } from "../../base/assert.ts";
import { isObject, sameJson } from "../../base/json.ts";
import { messageOf } from "../../base/log.ts";
import { timeOf } from "../../base/time.ts";
import { definitionRules, schemasOf } from "../../kinds/apiextensions/crdrules.ts";
import { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../../kinds/apiextensions/customresourcedefinition.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { decode } from "../../schema/decode.ts";
import { invalidValue, type Problem } from "../../schema/problem.ts";
import type { Change } from "../../store/store.ts";
import { formatOf } from "./formats.ts";
import type { Call, Core, Hooks } from "../core.ts";
import { remove } from "../delete.ts";
import { prefixOf } from "../registry.ts";
import { adopt } from "../strategy.ts";
import { update } from "../write.ts";
import type { PostJson } from "../webhook.ts";
import type { Cel, LoadCel } from "../cel.ts";
import { hasRules, kindOfDefinition } from "./kind.ts";
import { defaultProblems, selectableProblems } from "./definition-checks.ts";
import { judgeNames, type Judged, type Names } from "./names.ts";
import type { Schema } from "./schema.ts";
import { Validator, type CompilePattern } from "./validate.ts";

const finalizer = "customresourcecleanup.apiextensions.k8s.io";
const user = { name: "system:apiserver", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };
const writing = { dryRun: false, fieldManager: "kube-apiserver", fieldValidation: "Ignore" } as const;

/** `from`: all that it is made of; `asked`: what of that its writer asked for. */
type Served = { readonly kind: AnyKind; readonly from: string; readonly asked: string; readonly needsCel: boolean };

export class Definitions {
  readonly #core: Core;
  readonly #validator: Validator;
  readonly #served = new Map<string, Served>();

  readonly #post: PostJson | undefined;
  readonly #loadCel: LoadCel | undefined;
  #cel: Cel | undefined;
  #loading: Promise<void> | undefined;

  readonly #onRedefined: (prefix: string) => void;

  /** `onRedefined`: the objects under this prefix are seen otherwise from now on, or no longer. */
  constructor(core: Core, compile: CompilePattern, loadCel: LoadCel | undefined, post: PostJson | undefined, onRedefined: (prefix: string) => void = () => undefined) {
    this.#core = core;
    this.#onRedefined = onRedefined;
    this.#post = post;
    this.#loadCel = loadCel;
    this.#validator = new Validator(compile);
    // What was established before the server stopped is served from the first request on.
    for (const crd of core.reader.list("apiextensions.k8s.io", "customresourcedefinitions", "")) if (holds(crd, "Established")) this.#serve(crd);
  }

  /** Follows the definitions until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, reader } = this.#core;
    if (this.#core.registry.of(CustomResourceDefinition) === undefined) return;
    const waiting = new Set<string>(reader.list("apiextensions.k8s.io", "customresourcedefinitions", "").map(({ metadata }) => metadata.name));
    let wake: () => void = () => undefined;
    const watches = [store.watch(prefixOf(CustomResourceDefinition), store.revision, ({ changes }) => {
      for (const change of changes) {
        waiting.add(this.#hear(change));
        // A name may have become free for others.
        for (const other of this.#sameGroup(this.#core.objects.object(change.entry).spec.group)) if (!holds(other, "NamesAccepted")) waiting.add(other.metadata.name);
      }
      wake();
    })];
    const abort = (): void => wake();
    signal.addEventListener("abort", abort, { once: true });
    try {
      while (!signal.aborted) {
        for (const name of [...waiting]) {
          waiting.delete(name);
          try {
            await this.#settle(name, signal, () => {
              waiting.add(name);
              wake();
            });
          } catch (error) {
            if (!isApiError(error, "Conflict") && !isApiError(error, "NotFound")) throw new Error(`settling the custom resource definition ${name}: ${messageOf(error)}`, { cause: error });
            if (isApiError(error, "Conflict")) waiting.add(name);
          }
        }
        if (waiting.size === 0 && !signal.aborted) await new Promise<void>(resolve => (wake = resolve));
      }
    } finally {
      for (const watch of watches) if (!("compacted" in watch)) watch.close();
      signal.removeEventListener("abort", abort);
    }
  }

  /** At once: an established definition is served before its writer hears that it is. */
  #hear(change: Change): string {
    const crd = this.#core.objects.object(change.entry);
    if (change.type === "delete") this.#stop(crd.metadata.name);
    else if (holds(crd, "Established")) this.#serve(crd);
    return crd.metadata.name;
  }

  #serve(crd: any): void {
    const { name } = crd.metadata;
    const terminating = holds(crd, "Terminating");
    const asked = stringifyJson([crd.spec, crd.status?.acceptedNames]), from = stringifyJson([asked, crd.status?.storedVersions, terminating]);
    if (this.#served.get(name)?.from === from) return;
    this.#stop(name, asked);
    if (!crd.spec.versions.some(({ served }: any) => served === true)) return;
    // Names that others have are asked for, not had.
    const names = (crd.status?.acceptedNames?.plural ?? "") === "" ? crd.spec.names : crd.status.acceptedNames;
    const kind = kindOfDefinition({ ...crd, spec: { ...crd.spec, names } }, this.#validator, () => this.#cel, { post: this.#post, read: this.#core.reader, random: this.#core.random });
    const served = terminating ? { ...kind, terminating } : kind;
    const needsCel = crd.spec.versions.some(({ schema }: any) => schema?.openAPIV3Schema !== undefined && hasRules(schema.openAPIV3Schema));
    this.#core.registry.add(served);
    this.#served.set(name, { kind: served, from, asked, needsCel });
  }

  /** Before an object of a kind with rules is checked, they can be: many clusters have such kinds and never an object of them. */
  needRules(kind: AnyKind): Promise<void> | undefined {
    return this.#cel === undefined && this.#served.get(`${kind.plural}.${kind.group}`)?.needsCel === true ? this.#needCel() : undefined;
  }

  /** Loaded once, by the first object that has rules. */
  #needCel(): Promise<void> {
    return (this.#loading ??= (async () => {
      if (this.#loadCel !== undefined) this.#cel = await this.#loadCel();
    })());
  }

  /** `asked`: what is served instead. */
  #stop(name: string, asked?: string): void {
    const served = this.#served.get(name);
    if (served === undefined) return;
    this.#served.delete(name);
    this.#core.registry.remove(served.kind);
    if (served.asked !== asked) this.#onRedefined(prefixOf(served.kind));
  }

  async #settle(name: string, signal: AbortSignal, again: () => void): Promise<void> {
    const crd = this.#core.reader.get("apiextensions.k8s.io", "customresourcedefinitions", "", name);
    if (crd === undefined) return;
    const call = this.#call(name, signal);
    if (crd.metadata.deletionTimestamp !== undefined) return this.#finalize(crd, call, again);
    const status = this.#statusOf(crd);
    if (sameJson(status, crd.status)) return;
    await update(this.#core, { ...call, subresource: "status" }, stored => adopt(call.served, decode(call.served.node, { ...stored, status: this.#statusOf(stored) }).object), writing);
  }

  #statusOf(crd: any): any {
    const { status } = crd;
    const { accepted, conflict } = this.#namesOf(crd);
    const now = timeOf(this.#core.clock.now());
    const old: readonly any[] = status?.conditions ?? [];
    const condition = (type: string, value: "True" | "False", reason: string, message: string): any => {
      const before = old.find(each => each.type === type);
      const lastTransitionTime = before?.status === value ? before.lastTransitionTime : now;
      return { type, status: value, lastTransitionTime, reason, message };
    };
    const established = holds(crd, "Established") || conflict === undefined;
    const conditions = [
      conflict === undefined ? condition("NamesAccepted", "True", "NoConflicts", "no conflicts found") : condition("NamesAccepted", "False", conflict.reason, conflict.message),
      established ? condition("Established", "True", "InitialNamesAccepted", "the initial names have been accepted") : condition("Established", "False", "NotAccepted", "not all names are accepted"),
    ];
    return {
      conditions: [...old.filter(({ type }) => type !== "NamesAccepted" && type !== "Established"), ...conditions],
      acceptedNames: accepted,
      storedVersions: status?.storedVersions ?? [],
    };
  }

  /** Names of other definitions and of built-in kinds of the same group are taken. */
  #namesOf({ metadata, spec, status }: any): Judged {
    const builtIn = this.#core.registry.kinds().filter(kind => kind.group === spec.group && kind.custom !== true).map((kind): Names => ({ plural: kind.plural, singular: kind.singular ?? kind.kind.toLowerCase(), kind: kind.kind, listKind: `${kind.kind}List`, ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }) }));
    const others = this.#sameGroup(spec.group).filter(other => other.metadata.name !== metadata.name).flatMap((other): readonly Names[] => (other.status?.acceptedNames === undefined ? [] : [other.status.acceptedNames]));
    return judgeNames(spec.names, status?.acceptedNames ?? { plural: "", kind: "" }, [...builtIn, ...others]);
  }

  #sameGroup(group: string): readonly any[] {
    return this.#core.reader.list("apiextensions.k8s.io", "customresourcedefinitions", "").filter(({ spec }) => spec.group === group);
  }

  /** Deletes every object, and lets the definition go when none is left. */
  async #finalize(crd: any, call: Call, again: () => void): Promise<void> {
    const { store, objects } = this.#core;
    if (crd.metadata.finalizers?.includes(finalizer) !== true) return;
    if (crd.status?.conditions?.some((each: any) => each.type === "Terminating" && each.reason === "InstanceDeletionPending"))
      await update(this.#core, { ...call, subresource: "status" }, stored => adopt(call.served, decode(call.served.node, { ...stored, status: ending(stored, this.#core.clock.now(), "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress") }).object), writing);
    const kind = this.#served.get(crd.metadata.name)?.kind;
    const prefix = prefixOf({ group: crd.spec.group, plural: crd.spec.names.plural });
    if (kind !== undefined) {
      for (const entry of store.list(prefix).entries) {
        const { metadata } = objects.object(entry);
        const one: Call = { ...call, served: must(this.#core.registry.of(kind), `${kind.plural} are served`), namespace: metadata.namespace ?? "", name: metadata.name };
        if (metadata.deletionTimestamp === undefined) await remove(this.#core, one, { dryRun: false, uid: metadata.uid });
      }
    }
    if (kind !== undefined && store.count(prefix) > 0) {
      // Objects with finalizers of their own: looked at again when one of them changes.
      const watch = store.watch(prefix, store.revision, () => {
        if (!("compacted" in watch)) watch.close();
        again();
      });
      return;
    }
    await update(this.#core, { ...call, subresource: "status" }, stored => {
      const finalizers = (stored.metadata.finalizers ?? []).filter((each: string) => each !== finalizer);
      const [reason, message] = holds(stored, "Established") ? ["InstanceDeletionCompleted", "removed all instances"] : ["NeverEstablished", "resource was never established"];
      return adopt(call.served, decode(call.served.node, { ...stored, metadata: { ...stored.metadata, finalizers }, status: ending(stored, this.#core.clock.now(), "False", reason!, message!) }).object);
    }, writing);
  }

  #call(name: string, signal: AbortSignal): Call {
    return { served: must(this.#core.registry.of(CustomResourceDefinition), "definitions are served"), namespace: "", name, subresource: "", user, userAgent: "kube-apiserver", limit: { signal }, warn: () => undefined };
  }
}

/** The status with how far its end is. */
function ending({ status }: any, now: number, value: "True" | "False", reason: string, message: string): any {
  const conditions: readonly any[] = status?.conditions ?? [], old = conditions.find(({ type }) => type === "Terminating");
  const next = { type: "Terminating", status: value, lastTransitionTime: old?.status === value ? old.lastTransitionTime : timeOf(now), reason, message };
  return { ...status, conditions: [...conditions.filter(each => each !== old), next] };
}

function holds(crd: any, type: string): boolean {
  return crd.status?.conditions?.some((condition: any) => condition.type === type && condition.status === "True") === true;
}

/** What the storage of definitions does besides storing. */
export const definitionHooks = (compile: CompilePattern, loadCel: LoadCel | undefined): Hooks => ({
  /** Patterns that are none, and rules that do not compile or could cost too much, are refused with their definition. */
  problems(crd, previous, { subresource, writer }) {
    if (subresource !== "" || sameJson(crd.spec.versions, previous?.spec.versions)) return undefined;
    const schemas = schemasOf(crd.spec.versions), wrong = [...definitionRules(CustomResourceDefinitionVersion.node, crd, previous)];
    const wellFormed = schemas.filter(({ path }) => !wrong.some(({ field }) => field.startsWith(path)));
    const found = [...schemas.flatMap(({ schema, path }) => patternProblems(schema as Schema, path, compile)), ...wellFormed.flatMap(({ schema, path }) => defaultProblems(schema as Schema, path, new Validator(compile))), ...selectableProblems(crd.spec.versions)];
    // Our own definitions are checked by our tests, not at every cluster's first start.
    const candidates = writer === user.name ? [] : schemas.filter(({ schema }) => hasRules(schema as Schema));
    // Rules of a schema whose form is wrong are not looked at.
    const misshapen = [...wrong, ...found];
    const ruled = candidates.filter(({ path }) => !misshapen.some(({ field }) => field.startsWith(path)));
    if (ruled.length === 0) return found.length === 0 ? undefined : Promise.resolve(found);
    if (loadCel === undefined) return Promise.resolve([...found, ...ruled.map(({ path }) => invalidValue(path, null, "x-kubernetes-validations are not supported by this server"))]);
    return loadCel().then(cel => [...found, ...ruled.flatMap(({ schema, path }) => cel.problems(schema as Schema, path))]);
  },
  *warnings(crd, previous) {
    const known = new Set(previous === undefined ? [] : unknownFormats(previous));
    for (const format of unknownFormats(crd)) if (!known.has(format)) yield `unrecognized format ${JSON.stringify(format)}`;
  },
  onDelete(crd) {
    crd.metadata.finalizers = [...new Set([...(crd.metadata.finalizers ?? []), finalizer])];
  },
  // Quirk: the first request of all only announces, whatever it says of grace and propagation (apiextensions pkg/registry/customresourcedefinition/etcd.go).
  markDeleted(crd, { metadata: old }) {
    if (old.deletionTimestamp !== undefined) return;
    const { deletionGracePeriodSeconds: _, ...metadata } = crd.metadata;
    crd.metadata = { ...metadata, generation: old.generation, finalizers: [...new Set([...(old.finalizers ?? []), finalizer])] };
    crd.status = ending(crd, Date.parse(metadata.deletionTimestamp), "True", "InstanceDeletionPending", "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon");
  },
});

/** A pattern that is no regular expression would refuse every object later; it is refused itself. */
function patternProblems(schema: Schema, path: string, compile: CompilePattern): readonly Problem[] {
  const problems: Problem[] = [];
  if (typeof schema.pattern === "string") {
    try {
      compile(schema.pattern);
    } catch (error) {
      problems.push(invalidValue(`${path}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${messageOf(error)}`));
    }
  }
  for (const [name, each] of inside(schema)) problems.push(...patternProblems(each, `${path}.${name}`, compile));
  return problems;
}
/** Schemas in a schema, and where. */
function inside(schema: Schema): readonly (readonly [string, Schema])[] {
  const all: readonly (readonly [string, Schema | boolean | undefined])[] = [
    ...Object.entries(schema.properties ?? {}).map(([name, field]) => [`properties[${name}]`, field] as const), ["items", schema.items], ["not", schema.not], ["additionalProperties", schema.additionalProperties],
    ...(["allOf", "anyOf", "oneOf"] as const).flatMap(junctor => (schema[junctor] ?? []).map((each, i) => [`${junctor}[${i}]`, each] as const)),
  ];
  return all.filter((entry): entry is readonly [string, Schema] => isObject(entry[1]));
}
function unknownFormats(crd: any): readonly string[] {
  const of = (schema: Schema): readonly string[] => [...((schema.format ?? "") !== "" && formatOf({ ...schema, "x-kubernetes-int-or-string": false }) === "" ? [schema.format!] : []), ...inside(schema).flatMap(([, each]) => of(each))];
  return schemasOf(crd.spec.versions).flatMap(({ schema }) => of(schema as Schema));
}
