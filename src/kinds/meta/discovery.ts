import * as t from "../../schema/t.ts";

export const APIResource = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIResource", {
  categories: t.list(t.string()).pb(7),
  group: t.string().pb(8),
  kind: t.string().pb(3).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
  namespaced: t.bool().pb(2).required().always("zero"),
  shortNames: t.list(t.string()).pb(5),
  singularName: t.string().pb(6).required().always("zero"),
  storageVersionHash: t.string().pb(10),
  verbs: t.list(t.string()).implied().wire("list-wrapper").pb(4).required().always("[]"),
  version: t.string().pb(9),
});
export interface APIResource extends t.Stored<typeof APIResource> {}

export const APIResourceList = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList", {
  apiVersion: t.string(),
  groupVersion: t.string().pb(1).required().always("zero"),
  kind: t.string(),
  resources: t.list(APIResource).pb(2).required().always("[]"),
});
export interface APIResourceList extends t.Stored<typeof APIResourceList> {}

export const GroupVersionForDiscovery = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery", {
  groupVersion: t.string().pb(1).required().always("zero"),
  version: t.string().pb(2).required().always("zero"),
});
export interface GroupVersionForDiscovery extends t.Stored<typeof GroupVersionForDiscovery> {}

export const ServerAddressByClientCIDR = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR", {
  clientCIDR: t.string().pb(1).required().always("zero"),
  serverAddress: t.string().pb(2).required().always("zero"),
});
export interface ServerAddressByClientCIDR extends t.Stored<typeof ServerAddressByClientCIDR> {}

export const APIGroup = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup", {
  apiVersion: t.string(),
  kind: t.string(),
  name: t.string().pb(1).required().always("zero"),
  preferredVersion: GroupVersionForDiscovery.pb(3).always("{}"),
  serverAddressByClientCIDRs: t.list(ServerAddressByClientCIDR).pb(4),
  versions: t.list(GroupVersionForDiscovery).pb(2).required().always("[]"),
});
export interface APIGroup extends t.Stored<typeof APIGroup> {}

export const APIGroupList = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList", {
  apiVersion: t.string(),
  groups: t.list(APIGroup).pb(1).required().always("[]"),
  kind: t.string(),
});
export interface APIGroupList extends t.Stored<typeof APIGroupList> {}

export const APIVersions = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions", {
  apiVersion: t.string(),
  kind: t.string(),
  serverAddressByClientCIDRs: t.list(ServerAddressByClientCIDR).pb(2).required().always("[]"),
  versions: t.list(t.string()).pb(1).required().always("[]"),
});
export interface APIVersions extends t.Stored<typeof APIVersions> {}

export const Info = t.object("io.k8s.apimachinery.pkg.version.Info", {
  buildDate: t.string().required(),
  compiler: t.string().required(),
  emulationMajor: t.string(),
  emulationMinor: t.string(),
  gitCommit: t.string().required(),
  gitTreeState: t.string().required(),
  gitVersion: t.string().required(),
  goVersion: t.string().required(),
  major: t.string().required(),
  minCompatibilityMajor: t.string(),
  minCompatibilityMinor: t.string(),
  minor: t.string().required(),
  platform: t.string().required(),
});
export interface Info extends t.Stored<typeof Info> {}
