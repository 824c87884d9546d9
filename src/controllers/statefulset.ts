import { isApiError } from "../base/api-error.ts";
import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { selectorOf } from "../base/selector.ts";
import { joinKey } from "../client/informer.ts";
import { ControllerRevision } from "../kinds/apps/controllerrevision.ts";
import { StatefulSet } from "../kinds/apps/statefulset.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { New } from "../kinds/kind.ts";
import { owned, ownedOrSelected, type Context, type Controller } from "./controller.ts";
import { currentRevision, revisionHash, revisionsOf, templateIn, truncateHistory } from "./history.ts";
import { candidatesOf, claim, controllerRef, planClaim } from "./ownership.ts";
import { availableAt, podFromTemplate } from "./pods.ts";
import { isNamespaceEnding } from "./serviceaccount.ts";
import { ordinalOf, planStatus, planSteps, revisionLabel } from "./statefulset-plan.ts";

/** Keeps pods with lasting names and volumes, one after another. */
export const statefulSetController: Controller = {
  name: "statefulset",
  account: "statefulset-controller",
  reconciles: StatefulSet,
  watches: [ownedOrSelected(Pod, StatefulSet, ({ spec }) => selectorOf(spec.selector)), owned(ControllerRevision, StatefulSet)],
  reads: [PersistentVolumeClaim],

  async reconcile(key, context) {
    const set = context.read(StatefulSet).get(key);
    if (set === undefined) return undefined;
    const now = context.clock.now();
    const revisions = await revisionsOf(context, StatefulSet, set, set.spec.selector);
    const pods = await claim(context, StatefulSet, set, Pod, planClaim(set, selectorOf(set.spec.selector), candidatesOf(context, Pod, set).filter(pod => ordinalOf(set, pod) >= 0)));
    if (set.metadata.deletionTimestamp !== undefined) return undefined;
    const found = await currentRevision(context, revisions, {
      owner: set, kind: StatefulSet, template: set.spec.template, labels: set.spec.template.metadata?.labels ?? {}, hashOf: revisionHash, hashLabel: "controller.kubernetes.io/hash", collisions: set.status.collisionCount,
    });
    if ("collided" in found) {
      await context.updateStatus(StatefulSet, { ...set, status: { ...set.status, collisionCount: found.collided } });
      return undefined;
    }
    const update = found.revision;
    const current = revisions.find(revision => revision.metadata.name === set.status.currentRevision) ?? update;

    const steps = planSteps(set, pods, update.metadata.name, now);
    let failure: unknown;
    for (const { ordinal, revision } of steps.create) failure ??= await attempt(() => makePod(set, ordinal, revision === "current" ? current : update, context));
    for (const { pod, why } of steps.remove) failure ??= await attempt(() => removePod(set, pod, why, context));
    for (const pod of pods) failure ??= await attempt(() => keepClaims(set, pod, context));

    const status = planStatus(set, pods, current.metadata.name, update.metadata.name, now);
    if (!sameJson(set.status, status)) await context.updateStatus(StatefulSet, { ...set, status });
    if (failure !== undefined) throw failure;
    const inUse = new Set([current.metadata.name, update.metadata.name, ...pods.map(pod => pod.metadata.labels?.[revisionLabel] ?? "")]);
    await truncateHistory(context, revisions, inUse, set.spec.revisionHistoryLimit);
    const next = pods.map(pod => availableAt(pod, set.spec.minReadySeconds ?? 0) ?? 0).filter(time => time > now);
    return next.length === 0 ? undefined : { after: Math.min(...next) - now };
  },
};

async function attempt(step: () => Promise<void>): Promise<unknown> {
  return step().then(() => undefined, (error: unknown) => error);
}
const claimName = (template: { readonly metadata?: { readonly name?: string | undefined } | undefined }, set: StatefulSet, ordinal: number): string => `${template.metadata?.name ?? ""}-${set.metadata.name}-${ordinal}`;

async function makePod(set: StatefulSet, ordinal: number, revision: ControllerRevision, context: Context): Promise<void> {
  const name = `${set.metadata.name}-${ordinal}`;
  try {
    await makeClaims(set, ordinal, name, context);
    await context.create(Pod, podOf(set, ordinal, revision));
    context.events.event(set, "Normal", "SuccessfulCreate", `create Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  } catch (error) {
    if (isNamespaceEnding(error)) return;
    if (!isApiError(error, "AlreadyExists")) context.events.event(set, "Warning", "FailedCreate", `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${messageOf(error)}`);
    throw error;
  }
}

async function makeClaims(set: StatefulSet, ordinal: number, pod: string, context: Context): Promise<void> {
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const name = claimName(template, set, ordinal);
    const there = context.read(PersistentVolumeClaim).get(joinKey(set.metadata.namespace, name));
    // Its volumes would vanish under the new pod: wait until it is gone.
    if (there?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
    if (there !== undefined) continue;
    const { labels, annotations } = template.metadata ?? {};
    await context.create(PersistentVolumeClaim, {
      metadata: { name, namespace: set.metadata.namespace, labels: { ...labels, ...set.spec.selector.matchLabels }, ...(annotations === undefined ? {} : { annotations }), ...(claimsGo(set) ? { ownerReferences: [ownerRef(set)] } : {}) },
      spec: template.spec,
    } as New<typeof PersistentVolumeClaim>);
    context.events.event(set, "Normal", "SuccessfulCreate", `create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`);
  }
}
const claimsGo = ({ spec }: StatefulSet): boolean => spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === "Delete";
const ownerRef = (set: StatefulSet): object => ({ apiVersion: "apps/v1", kind: "StatefulSet", name: set.metadata.name, uid: set.metadata.uid, controller: true });

/** Name, identity and volumes are the ordinal's, everything else the revision's. */
function podOf(set: StatefulSet, ordinal: number, revision: ControllerRevision): New<typeof Pod> {
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(templateIn(revision), {
    name, namespace: set.metadata.namespace, ownerReferences: [controllerRef(StatefulSet, set)],
    labels: { "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": String(ordinal), [revisionLabel]: revision.metadata.name },
  }) as unknown as { readonly metadata: object; readonly spec: { readonly volumes?: readonly { readonly name: string }[] } };
  const claims = (set.spec.volumeClaimTemplates ?? []).map(template => ({ name: template.metadata?.name ?? "", persistentVolumeClaim: { claimName: claimName(template, set, ordinal) } }));
  const volumes = [...(pod.spec.volumes ?? []).filter(volume => !claims.some(claim => claim.name === volume.name)), ...claims];
  return { ...pod, spec: { ...pod.spec, hostname: name, ...(set.spec.serviceName === "" ? {} : { subdomain: set.spec.serviceName }), ...(volumes.length === 0 ? {} : { volumes }) } } as unknown as New<typeof Pod>;
}

async function removePod(set: StatefulSet, pod: Pod, why: "failed" | "scaled" | "updated", context: Context): Promise<void> {
  const { name } = pod.metadata;
  if (why === "scaled") await giveClaimsTo(set, pod, context);
  try {
    await context.delete(Pod, pod);
    context.events.event(set, "Normal", "SuccessfulDelete", `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  } catch (error) {
    context.events.event(set, "Warning", "FailedDelete", `delete Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${messageOf(error)}`);
    throw error;
  }
}

/** whenScaled Delete: the claims go with the pod. */
async function giveClaimsTo(set: StatefulSet, pod: Pod, context: Context): Promise<void> {
  if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== "Delete") return;
  await setClaimOwners(set, pod, [{ apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid }], context);
}
/** The claims of a wanted pod follow the retention policy as it is now. */
async function keepClaims(set: StatefulSet, pod: Pod, context: Context): Promise<void> {
  const start = set.spec.ordinals?.start ?? 0;
  const ordinal = ordinalOf(set, pod);
  if (pod.metadata.deletionTimestamp !== undefined || ordinal < start || ordinal >= start + set.spec.replicas) return;
  await setClaimOwners(set, pod, claimsGo(set) ? [ownerRef(set)] : [], context);
}
async function setClaimOwners(set: StatefulSet, pod: Pod, owners: readonly object[], context: Context): Promise<void> {
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const held = context.read(PersistentVolumeClaim).get(joinKey(set.metadata.namespace, claimName(template, set, ordinalOf(set, pod))));
    if (held === undefined) continue;
    // Only references of ours: to the set, or to a pod of its name.
    const others = (held.metadata.ownerReferences ?? []).filter(ref => !(ref.kind === "StatefulSet" && ref.name === set.metadata.name) && !(ref.kind === "Pod" && ref.name === pod.metadata.name));
    const wanted = [...others, ...owners];
    if (sameJson(held.metadata.ownerReferences ?? [], wanted)) continue;
    const { uid, resourceVersion } = held.metadata;
    await context.update(PersistentVolumeClaim, { ...held, metadata: { ...held.metadata, uid, resourceVersion, ownerReferences: wanted } as typeof held.metadata });
  }
}
