import * as t from "../../schema/t.ts";

export const AppArmorProfile = t.object("io.k8s.api.core.v1.AppArmorProfile", {
  localhostProfile: t.string().pb(2).pointer(),
  type: t.oneOf("Localhost", "RuntimeDefault", "Unconfined").pb(1).required().always("zero"),
}).union({ discriminator: "type", members: {"localhostProfile":"LocalhostProfile"} });
export interface AppArmorProfile extends t.Stored<typeof AppArmorProfile> {}

export const Capabilities = t.object("io.k8s.api.core.v1.Capabilities", {
  add: t.list(t.string()).pb(1),
  drop: t.list(t.string()).pb(2),
});
export interface Capabilities extends t.Stored<typeof Capabilities> {}

export const SELinuxOptions = t.object("io.k8s.api.core.v1.SELinuxOptions", {
  level: t.string().pb(4),
  role: t.string().pb(2),
  type: t.string().pb(3),
  user: t.string().pb(1),
});
export interface SELinuxOptions extends t.Stored<typeof SELinuxOptions> {}

export const SeccompProfile = t.object("io.k8s.api.core.v1.SeccompProfile", {
  localhostProfile: t.string().pb(2).pointer(),
  type: t.oneOf("Localhost", "RuntimeDefault", "Unconfined").pb(1).required().always("zero"),
}).union({ discriminator: "type", members: {"localhostProfile":"LocalhostProfile"} });
export interface SeccompProfile extends t.Stored<typeof SeccompProfile> {}

export const WindowsSecurityContextOptions = t.object("io.k8s.api.core.v1.WindowsSecurityContextOptions", {
  gmsaCredentialSpec: t.string().pb(2).pointer(),
  gmsaCredentialSpecName: t.string().pb(1).pointer(),
  hostProcess: t.bool().pb(4).pointer(),
  runAsUserName: t.string().pb(3).pointer(),
});
export interface WindowsSecurityContextOptions extends t.Stored<typeof WindowsSecurityContextOptions> {}

export const SecurityContext = t.object("io.k8s.api.core.v1.SecurityContext", {
  allowPrivilegeEscalation: t.bool().pb(7).pointer(),
  appArmorProfile: AppArmorProfile.pb(12),
  capabilities: Capabilities.pb(1),
  privileged: t.bool().pb(2).pointer(),
  procMount: t.oneOf("Default", "Unmasked").pb(9).pointer(),
  readOnlyRootFilesystem: t.bool().pb(6).pointer(),
  runAsGroup: t.int64().pb(8).pointer(),
  runAsNonRoot: t.bool().pb(5).pointer(),
  runAsUser: t.int64().pb(4).pointer(),
  seLinuxOptions: SELinuxOptions.pb(3),
  seccompProfile: SeccompProfile.pb(11),
  windowsOptions: WindowsSecurityContextOptions.pb(10),
});
export interface SecurityContext extends t.Stored<typeof SecurityContext> {}

export const Sysctl = t.object("io.k8s.api.core.v1.Sysctl", {
  name: t.string().pb(1).required().always("zero"),
  value: t.string().pb(2).required().always("zero"),
});
export interface Sysctl extends t.Stored<typeof Sysctl> {}

export const PodSecurityContext = t.object("io.k8s.api.core.v1.PodSecurityContext", {
  appArmorProfile: AppArmorProfile.pb(11),
  fsGroup: t.int64().pb(5).pointer(),
  fsGroupChangePolicy: t.oneOf("Always", "OnRootMismatch").pb(9).pointer(),
  runAsGroup: t.int64().pb(6).pointer(),
  runAsNonRoot: t.bool().pb(3).pointer(),
  runAsUser: t.int64().pb(2).pointer(),
  seLinuxChangePolicy: t.string().pb(13).pointer(),
  seLinuxOptions: SELinuxOptions.pb(1),
  seccompProfile: SeccompProfile.pb(10),
  supplementalGroups: t.list(t.int64()).pb(4),
  supplementalGroupsPolicy: t.oneOf("Merge", "Strict").pb(12).pointer(),
  sysctls: t.list(Sysctl).pb(7),
  windowsOptions: WindowsSecurityContextOptions.pb(8),
});
export interface PodSecurityContext extends t.Stored<typeof PodSecurityContext> {}
