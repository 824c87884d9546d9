import * as t from "../../schema/t.ts";

/** One change, as a watch sends it. */
export const WatchEvent = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent", {
  object: t.rawExtension().pb(2).required().always("zero").doc("The object after the change; a Status for an error, little more than a version for a bookmark."),
  type: t.string().pb(1).required().always("zero").doc("ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."),
});
export interface WatchEvent extends t.Stored<typeof WatchEvent> {}
