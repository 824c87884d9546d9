import { goQuote } from "../schema/problem.ts";
import { byController, byNamespace, joinKey, keyOf } from "../client/informer.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { New } from "../kinds/kind.ts";
import { ResourceClaim } from "../kinds/resource/resourceclaim.ts";
import { ResourceClaimTemplate } from "../kinds/resource/resourceclaimtemplate.ts";
import type { Context, Controller } from "./controller.ts";
import { claimOf, generatedName, isDone, planClaim, reservedForMax } from "./resource-claim-plan.ts";

const ofPods = "pod:";
const ofClaims = "claim:";
const forPodClaim = "resource.kubernetes.io/pod-claim-name";

/** Makes the claims for devices that pods' templates ask for, and lets go of those that nobody will use any more (pkg/controller/resourceclaim). */
export const resourceClaimController: Controller = {
  name: "resourceclaim",
  account: "resource-claim-controller",
  component: "resource_claim",
  watches: [
    { kind: Pod, keysOf: (pod: Pod, _, { type }) => podKeys(pod, type === "deleted") },
    { kind: ResourceClaim, keysOf: (claim: ResourceClaim, context) => [ofClaims + keyOf(claim), ...using(context, claim, pod => (pod.spec.resourceClaims ?? []).some(each => claimOf(pod, each)?.name === claim.metadata.name))] },
    { kind: ResourceClaimTemplate, keysOf: (template: ResourceClaimTemplate, context) => using(context, template, pod => (pod.spec.resourceClaims ?? []).some(each => each.resourceClaimTemplateName === template.metadata.name)) },
  ],
  reconcile: async (key, context) => void (await (key.startsWith(ofPods) ? reconcilePod(key.slice(ofPods.length), context) : reconcileClaim(key.slice(ofClaims.length), context))),
};

/** The pod itself while it may need claims; those that it had once it will run no more. */
function podKeys(pod: Pod, deleted: boolean): readonly string[] {
  const asked = pod.spec.resourceClaims ?? [];
  const made = pod.status.extendedResourceClaimStatus?.resourceClaimName;
  if (asked.length === 0 && made === undefined) return [];
  if (!deleted && !isDone(pod)) return pod.metadata.deletionTimestamp === undefined && asked.length > 0 ? [ofPods + keyOf(pod)] : [];
  const names = [...asked.map(each => claimOf(pod, each)?.name), made].filter(name => name !== undefined);
  return names.map(name => ofClaims + joinKey(pod.metadata.namespace, name));
}
const using = (context: Context, { metadata }: { readonly metadata: { readonly namespace?: string | undefined } }, uses: (pod: Pod) => boolean): readonly string[] =>
  context.read(Pod).by(byNamespace, metadata.namespace ?? "").filter(uses).flatMap(pod => podKeys(pod, false));

async function reconcilePod(key: string, context: Context): Promise<void> {
  const pod = context.read(Pod).get(key);
  // A pod that has ended gets no new claim: it would be taken from it at once.
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isDone(pod)) return;
  const { name, namespace, uid } = pod.metadata;
  const made: { readonly name: string; readonly resourceClaimName: string }[] = [];
  for (const asked of pod.spec.resourceClaims ?? []) {
    try {
      const claim = await claimFor(pod, asked, context);
      if (claim !== undefined) made.push({ name: asked.name, resourceClaimName: claim.metadata.name });
    } catch (error) {
      context.events.event(pod, "Warning", "FailedResourceClaimCreation", `PodResourceClaim ${asked.name}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }
  let current = pod;
  if (made.length > 0) {
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: namespace ?? "" }, status: { resourceClaimStatuses: made } };
    current = await context.patch(Pod, pod, { type: "apply", body, force: true }, { fieldManager: "ResourceClaimController", subresource: "status" });
  }
  // The scheduler reserves claims, but for pods that did not pass through it.
  if ((pod.spec.nodeName ?? "") === "") return;
  for (const asked of pod.spec.resourceClaims ?? []) {
    const of = claimOf(current, asked);
    if (of === undefined || of.name === undefined) continue;
    const claim = context.read(ResourceClaim).get(joinKey(namespace, of.name));
    if (claim === undefined) return;
    if (of.own) mustBelong(pod, claim);
    const users = claim.status.reservedFor ?? [];
    if (claim.status.allocation === undefined || users.length >= reservedForMax || users.some(user => user.uid === uid)) continue;
    await context.updateStatus(ResourceClaim, { ...claim, status: { ...claim.status, reservedFor: [...users, { resource: "pods", name, uid: uid ?? "" }] } });
  }
}

/** The claim that the pod's status is yet to name: one that was made but not noted, or a new one. */
async function claimFor(pod: Pod, asked: NonNullable<Pod["spec"]["resourceClaims"]>[number], context: Context): Promise<ResourceClaim | undefined> {
  const { name, namespace = "", uid = "" } = pod.metadata;
  const noted = claimOf(pod, asked);
  if (noted !== undefined && noted.name === undefined) return undefined;
  if (noted?.name !== undefined) {
    const there = context.read(ResourceClaim).get(joinKey(namespace, noted.name));
    if (there !== undefined && (!noted.own || belongs(pod, there))) return undefined;
  }
  if (asked.resourceClaimTemplateName === undefined) return undefined;
  const orphan = context.read(ResourceClaim).by(byController, uid).find(claim => claim.metadata.annotations?.[forPodClaim] === asked.name);
  if (orphan !== undefined) return orphan;
  const template = context.read(ResourceClaimTemplate).get(joinKey(namespace, asked.resourceClaimTemplateName));
  if (template === undefined) throw new Error(`resource claim template ${goQuote(asked.resourceClaimTemplateName)}: resourceclaimtemplate.resource.k8s.io ${goQuote(asked.resourceClaimTemplateName)} not found`);
  const { labels, annotations } = template.spec.metadata;
  try {
    return await context.create(ResourceClaim, {
      metadata: { generateName: generatedName(name, asked.name), namespace, ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid, controller: true }], annotations: { ...annotations, [forPodClaim]: asked.name }, ...(labels === undefined ? {} : { labels }) },
      spec: template.spec.spec,
    } as unknown as New<typeof ResourceClaim>);
  } catch (error) {
    throw new Error(`create ResourceClaim : ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
const belongs = ({ metadata: { uid } }: Pod, claim: ResourceClaim): boolean => claim.metadata.ownerReferences?.some(owner => owner.controller === true && owner.uid === uid) === true;
function mustBelong(pod: Pod, claim: ResourceClaim): void {
  if (!belongs(pod, claim)) throw new Error(`ResourceClaim ${keyOf(claim)} was not created for pod ${keyOf(pod)} (pod is not owner)`);
}

async function reconcileClaim(key: string, context: Context): Promise<void> {
  const claim = context.read(ResourceClaim).get(key);
  if (claim === undefined) return;
  const { namespace = "" } = claim.metadata;
  const gone = new Set<string>();
  for (const { apiGroup = "", resource, name, uid } of claim.status.reservedFor ?? []) {
    if (apiGroup !== "" || resource !== "pods") continue;
    // A pod that is not known here may be too new: the server is asked.
    const pod = context.read(Pod).get(joinKey(namespace, name)) ?? (await context.live(Pod, namespace, name));
    if (pod === undefined || pod.metadata.uid !== uid || isDone(pod)) gone.add(uid);
  }
  const owner = claim.metadata.ownerReferences?.find(each => each.controller === true && each.apiVersion === "v1" && each.kind === "Pod");
  const plan = planClaim(claim, gone, owner === undefined ? undefined : context.read(Pod).get(joinKey(namespace, owner.name)));
  let current = claim;
  if (plan.status !== undefined) current = await context.updateStatus(ResourceClaim, { ...current, status: plan.status });
  if (plan.finalizers !== undefined) current = await context.update(ResourceClaim, { ...current, metadata: { ...current.metadata, finalizers: [...plan.finalizers] } });
  if (plan.remove) await context.delete(ResourceClaim, current);
}
