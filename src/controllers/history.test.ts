import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerRevision } from "../kinds/apps/controllerrevision.ts";
import { byRevision, revisionHash, templateIn, templatePatch } from "./history.ts";

const template = { spec: { restartPolicy: "Always", containers: [{ name: "c", image: "i", resources: {} }] }, metadata: { labels: { b: "2", a: "1" }, creationTimestamp: null } };

test("a template is kept as the patch that puts it back, its keys in Go's order", () => {
  assert.equal(JSON.stringify(templatePatch(template)), '{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a":"1","b":"2"}},"spec":{"containers":[{"image":"i","name":"c","resources":{}}],"restartPolicy":"Always"}}}}');
  assert.deepEqual(templateIn({ data: templatePatch(template) } as unknown as ControllerRevision), { metadata: { labels: { a: "1", b: "2" } }, spec: template.spec });
});

test("the hash follows the template and the collisions, not the order of keys", () => {
  const hash = revisionHash(templatePatch(template), undefined);
  assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.equal(revisionHash(templatePatch({ metadata: { labels: { a: "1", b: "2" } }, spec: template.spec }), undefined), hash);
  assert.notEqual(revisionHash(templatePatch(template), 1), hash);
});

test("revisions are ordered by number, then by age", () => {
  const revision = (name: string, number: number, day: number): ControllerRevision => ({ metadata: { name, creationTimestamp: `2030-01-0${day}T00:00:00Z` }, revision: number }) as unknown as ControllerRevision;
  assert.deepEqual([revision("c", 2, 1), revision("b", 1, 2), revision("a", 1, 1)].sort(byRevision).map(({ metadata }) => metadata.name), ["a", "b", "c"]);
});
