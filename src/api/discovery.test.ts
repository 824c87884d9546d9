import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Deployment } from "../kinds/apps/deployment.ts";
import { ConfigMap } from "../kinds/core/configmap.ts";
import { Event } from "../kinds/core/event.ts";
import { Scale } from "../kinds/autoscaling/scale.ts";
import { ServiceAccount } from "../kinds/core/serviceaccount.ts";
import { aggregatedForm, Discovery } from "./discovery.ts";
import { compareVersions } from "./version-order.ts";
import { Registry } from "./registry.ts";
import { subresourceTypeOf } from "./subresources/index.ts";

const sha512 = (text: string): Uint8Array => createHash("sha512").update(text).digest();
const registry = new Registry([Deployment, ConfigMap, Event, Scale, ServiceAccount]);
const discovery = new Discovery(registry, subresourceTypeOf, sha512);

test("versions are ordered as Kubernetes does: stable before beta before alpha, newer first", () => {
  assert.deepEqual(["v1alpha1", "v1", "foo", "v2beta1", "v10", "v2", "v1beta2", "bar"].sort(compareVersions), ["v10", "v2", "v1", "v2beta1", "v1beta2", "v1alpha1", "bar", "foo"]);
});

test("a resource is told with its subresources, whose bodies may be of another kind", () => {
  assert.deepEqual(discovery.legacyResources("", "v1"), {
    kind: "APIResourceList", groupVersion: "v1",
    resources: [
      { name: "configmaps", singularName: "configmap", namespaced: true, kind: "ConfigMap", verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"], shortNames: ["cm"], storageVersionHash: "qFsyl6wFWjQ=" },
      { name: "events", singularName: "event", namespaced: true, kind: "Event", verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"], shortNames: ["ev"], storageVersionHash: "r2yiGXH7wu8=" },
      { name: "serviceaccounts", singularName: "serviceaccount", namespaced: true, kind: "ServiceAccount", verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"], shortNames: ["sa"], storageVersionHash: "pbx9ZvyFpBE=" },
      { name: "serviceaccounts/token", singularName: "", namespaced: true, group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] },
    ],
  });
});

test("a kind in two groups is told in both, one that is only a subresource in none", () => {
  assert.deepEqual(discovery.groups().map(({ name, versions }) => `${name}: ${versions.flatMap(({ served }) => served.map(({ resource }) => resource)).join(" ")}`), [": configmaps events serviceaccounts", "apps: deployments", "events.k8s.io: events"]);
});

test("the aggregated document is cached until the served kinds change", () => {
  const before = discovery.aggregated(false);
  assert.equal(discovery.aggregated(false), before);
  assert.match(before.etag, /^"[0-9A-F]{128}"$/);
  registry.remove(Event);
  const after = discovery.aggregated(false);
  registry.add(Event);
  assert.notEqual(after.etag, before.etag);
  const { items } = JSON.parse(before.text) as { items: { metadata: { name: string }; versions: { resources: { resource: string; subresources?: { subresource: string; responseKind: { kind: string } }[] }[] }[] }[] };
  assert.deepEqual(items.map(({ metadata }) => metadata.name), ["apps", "events.k8s.io"]);
  assert.deepEqual(items[0]!.versions[0]!.resources[0]!.subresources?.map(({ subresource, responseKind }) => `${subresource} ${responseKind.kind}`), ["scale Scale", "status Deployment"]);
});

test("kinds are told as upstream tells them: a built-in one leaves its group and version open, a custom one has an order of its own", () => {
  const things = { ...Deployment, group: "example.com", kind: "Thing", plural: "things", custom: true } as typeof Deployment;
  const text = new Discovery(new Registry([Deployment, things]), subresourceTypeOf, sha512).aggregated(false).text;
  const [apps, custom] = (JSON.parse(text) as { items: { metadata: object; versions: { resources: { responseKind: object; verbs: string[]; subresources: { subresource: string; responseKind: object }[] }[] }[] }[] }).items;
  const of = apps!.versions[0]!.resources[0]!;
  assert.deepEqual([apps!.metadata, of.responseKind, of.subresources.map(({ responseKind }) => responseKind)], [{ name: "apps" }, { group: "", version: "", kind: "Deployment" }, [{ group: "autoscaling", version: "v1", kind: "Scale" }, { group: "", version: "", kind: "Deployment" }]]);
  const theirs = custom!.versions[0]!.resources[0]!;
  assert.deepEqual([theirs.responseKind, theirs.verbs.join(" "), theirs.subresources.map(({ subresource }) => subresource)], [{ group: "example.com", version: "v1", kind: "Thing" }, "delete deletecollection get list patch create update watch", ["status", "scale"]]);
});

// Accept → the form that is answered
const forms = [
  ["application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer,application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json", "application/json"],
  ["application/json,application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "application/yaml"],
  ["application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "application/vnd.kubernetes.protobuf"],
  ["application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", undefined],
  ["application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json", undefined],
  ["application/json", undefined],
  ["*/*", undefined],
] as const;
for (const [accept, type] of forms) test(`Accept: ${accept.slice(0, 60)}… is answered as ${type ?? "legacy lists"}`, () => assert.equal(aggregatedForm({ accept }, new URLSearchParams(""))?.type, type));
