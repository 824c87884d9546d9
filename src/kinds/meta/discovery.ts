import * as t from "../../schema/t.ts";

export const APIResource = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIResource", {
  categories: t.list(t.string()).pb(7).doc("Words such as all that stand for several resources."),
  group: t.string().pb(8).doc("API group, where it is not the list's own."),
  kind: t.string().pb(3).required().always("zero").doc("Kind of the objects."),
  name: t.string().pb(1).required().always("zero").doc("The resource, as URLs have it."),
  namespaced: t.bool().pb(2).required().always("zero").doc("Whether the objects are in namespaces."),
  shortNames: t.list(t.string()).pb(5).doc("Shorter names for people."),
  singularName: t.string().pb(6).required().always("zero").doc("Name of one of them."),
  storageVersionHash: t.string().pb(10).doc("Changes when objects are stored in another version."),
  verbs: t.list(t.string()).implied().wire("list-wrapper").pb(4).required().always("[]").doc("What can be done."),
  version: t.string().pb(9).doc("API version, where it is not the list's own."),
});
export interface APIResource extends t.Stored<typeof APIResource> {}

export const APIResourceList = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList", {
  apiVersion: t.string().doc("Version of the schema this object is written in."),
  groupVersion: t.string().pb(1).required().always("zero").doc("Group and version of the resources."),
  kind: t.string().doc("Name of the kind of object."),
  resources: t.list(APIResource).pb(2).required().always("[]").doc("The resources."),
});
export interface APIResourceList extends t.Stored<typeof APIResourceList> {}

export const GroupVersionForDiscovery = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery", {
  groupVersion: t.string().pb(1).required().always("zero").doc("Group and version, as apiVersion has it."),
  version: t.string().pb(2).required().always("zero").doc("The version alone."),
});
export interface GroupVersionForDiscovery extends t.Stored<typeof GroupVersionForDiscovery> {}

export const ServerAddressByClientCIDR = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR", {
  clientCIDR: t.string().pb(1).required().always("zero").doc("Clients of these addresses."),
  serverAddress: t.string().pb(2).required().always("zero").doc("The address they should use."),
});
export interface ServerAddressByClientCIDR extends t.Stored<typeof ServerAddressByClientCIDR> {}

export const APIGroup = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup", {
  apiVersion: t.string().doc("Version of the schema this object is written in."),
  kind: t.string().doc("Name of the kind of object."),
  name: t.string().pb(1).required().always("zero").doc("Name of the group."),
  preferredVersion: GroupVersionForDiscovery.pb(3).always("{}").doc("The version to prefer."),
  serverAddressByClientCIDRs: t.list(ServerAddressByClientCIDR).pb(4).doc("Which address of the server clients should use."),
  versions: t.list(GroupVersionForDiscovery).pb(2).required().always("[]").doc("Versions that are served."),
});
export interface APIGroup extends t.Stored<typeof APIGroup> {}

export const APIGroupList = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList", {
  apiVersion: t.string().doc("Version of the schema this object is written in."),
  groups: t.list(APIGroup).pb(1).required().always("[]").doc("The groups."),
  kind: t.string().doc("Name of the kind of object."),
});
export interface APIGroupList extends t.Stored<typeof APIGroupList> {}

export const APIVersions = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions", {
  apiVersion: t.string().doc("Version of the schema this object is written in."),
  kind: t.string().doc("Name of the kind of object."),
  serverAddressByClientCIDRs: t.list(ServerAddressByClientCIDR).pb(2).required().always("[]").doc("Which address of the server clients should use."),
  versions: t.list(t.string()).pb(1).required().always("[]").doc("Versions that are served."),
});
export interface APIVersions extends t.Stored<typeof APIVersions> {}

export const Info = t.object("io.k8s.apimachinery.pkg.version.Info", {
  buildDate: t.string().required().always("zero").doc("When it was built."),
  compiler: t.string().required().always("zero").doc("What compiled it."),
  emulationMajor: t.string().doc("Major version that it behaves like."),
  emulationMinor: t.string().doc("Minor version that it behaves like."),
  gitCommit: t.string().required().always("zero").doc("Commit that it was built from."),
  gitTreeState: t.string().required().always("zero").doc("Whether that commit had been changed."),
  gitVersion: t.string().required().always("zero").doc("Version, as its tag has it."),
  goVersion: t.string().required().always("zero").doc("Version of the language."),
  major: t.string().required().always("zero").doc("Major version."),
  minCompatibilityMajor: t.string().doc("Oldest major version that it gets along with."),
  minCompatibilityMinor: t.string().doc("Oldest minor version that it gets along with."),
  minor: t.string().required().always("zero").doc("Minor version."),
  platform: t.string().required().always("zero").doc("System and processor that it was built for."),
});
export interface Info extends t.Stored<typeof Info> {}
