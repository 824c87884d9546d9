import * as t from "../../schema/t.ts";

export const UserInfo = t.object("io.k8s.api.authentication.v1.UserInfo", {
  extra: t.map(t.list(t.string()).wire("list-wrapper")).pb(4),
  groups: t.list(t.string()).pb(3),
  uid: t.string().pb(2),
  username: t.string().pb(1),
});
export interface UserInfo extends t.Stored<typeof UserInfo> {}
