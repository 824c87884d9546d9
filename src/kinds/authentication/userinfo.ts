import * as t from "../../schema/t.ts";

export const UserInfo = t.object("io.k8s.api.authentication.v1.UserInfo", {
  extra: t.map(t.list(t.string()).wire("list-wrapper")).pb(4).doc("What else is known of the user, by key."),
  groups: t.list(t.string()).pb(3).doc("Groups that the user belongs to."),
  uid: t.string().pb(2).doc("Identity of the user that is never used again."),
  username: t.string().pb(1).doc("Name of the user."),
});
export interface UserInfo extends t.Stored<typeof UserInfo> {}
