import * as t from "../../schema/t.ts";

export const AppArmorProfile = t.object("io.k8s.api.core.v1.AppArmorProfile", {
  localhostProfile: t.string().pb(2).pointer().doc("Name of a profile loaded on the node."),
  type: t.oneOf("Localhost", "RuntimeDefault", "Unconfined").unchecked().pb(1).required().always("zero").doc("Localhost, RuntimeDefault or Unconfined."),
}).union({ discriminator: "type", members: {"localhostProfile":"LocalhostProfile"} });
export interface AppArmorProfile extends t.Stored<typeof AppArmorProfile> {}

export const Capabilities = t.object("io.k8s.api.core.v1.Capabilities", {
  add: t.list(t.string()).pb(1).doc("Capabilities to add."),
  drop: t.list(t.string()).pb(2).doc("Capabilities to take away."),
});
export interface Capabilities extends t.Stored<typeof Capabilities> {}

export const SELinuxOptions = t.object("io.k8s.api.core.v1.SELinuxOptions", {
  level: t.string().pb(4).doc("The level label."),
  role: t.string().pb(2).doc("The role label."),
  type: t.string().pb(3).doc("The type label."),
  user: t.string().pb(1).doc("The user label."),
});
export interface SELinuxOptions extends t.Stored<typeof SELinuxOptions> {}

export const SeccompProfile = t.object("io.k8s.api.core.v1.SeccompProfile", {
  localhostProfile: t.string().pb(2).pointer().doc("File of a profile on the node."),
  type: t.oneOf("Localhost", "RuntimeDefault", "Unconfined").unchecked().pb(1).required().always("zero").doc("Localhost, RuntimeDefault or Unconfined."),
}).union({ discriminator: "type", members: {"localhostProfile":"LocalhostProfile"} });
export interface SeccompProfile extends t.Stored<typeof SeccompProfile> {}

export const WindowsSecurityContextOptions = t.object("io.k8s.api.core.v1.WindowsSecurityContextOptions", {
  gmsaCredentialSpec: t.string().pb(2).pointer().doc("Content of the GMSA credential specification."),
  gmsaCredentialSpecName: t.string().pb(1).pointer().doc("Name of that specification."),
  hostProcess: t.bool().pb(4).pointer().doc("Whether it runs as a process of the host."),
  runAsUserName: t.string().pb(3).pointer().doc("User to run as."),
});
export interface WindowsSecurityContextOptions extends t.Stored<typeof WindowsSecurityContextOptions> {}

export const SecurityContext = t.object("io.k8s.api.core.v1.SecurityContext", {
  allowPrivilegeEscalation: t.bool().pb(7).pointer().doc("Whether a process may gain more rights than its parent."),
  appArmorProfile: AppArmorProfile.pb(12).doc("AppArmor profile to run under."),
  capabilities: Capabilities.pb(1).doc("Capabilities to add or take away."),
  privileged: t.bool().pb(2).pointer().doc("Whether its root is the node's root."),
  procMount: t.oneOf("Default", "Unmasked").pb(9).pointer().doc("How much of /proc is hidden."),
  readOnlyRootFilesystem: t.bool().pb(6).pointer().doc("Whether the root file system cannot be written to."),
  runAsGroup: t.int64().pb(8).pointer().doc("Group id to run as."),
  runAsNonRoot: t.bool().pb(5).pointer().doc("Whether running as user 0 is refused."),
  runAsUser: t.int64().pb(4).pointer().doc("User id to run as."),
  seLinuxOptions: SELinuxOptions.pb(3).doc("SELinux labels to run with."),
  seccompProfile: SeccompProfile.pb(11).doc("Seccomp profile to run under."),
  windowsOptions: WindowsSecurityContextOptions.pb(10).doc("The same for Windows."),
});
export interface SecurityContext extends t.Stored<typeof SecurityContext> {}

export const Sysctl = t.object("io.k8s.api.core.v1.Sysctl", {
  name: t.string().pb(1).required().always("zero").doc("Name of the kernel parameter."),
  value: t.string().pb(2).required().always("zero").doc("Its value."),
});
export interface Sysctl extends t.Stored<typeof Sysctl> {}

export const PodSecurityContext = t.object("io.k8s.api.core.v1.PodSecurityContext", {
  appArmorProfile: AppArmorProfile.pb(11).doc("AppArmor profile of the containers."),
  fsGroup: t.int64().pb(5).pointer().doc("Group that owns the volumes' files."),
  fsGroupChangePolicy: t.oneOf("Always", "OnRootMismatch").pb(9).pointer().doc("Whether that owner is set on every mount or only where it differs."),
  runAsGroup: t.int64().pb(6).pointer().doc("Group id to run as."),
  runAsNonRoot: t.bool().pb(3).pointer().doc("Whether running as user 0 is refused."),
  runAsUser: t.int64().pb(2).pointer().doc("User id to run as."),
  seLinuxChangePolicy: t.string().pb(13).pointer().doc("How volumes get their SELinux labels: by mounting or by relabelling."),
  seLinuxOptions: SELinuxOptions.pb(1).doc("SELinux labels of the containers."),
  seccompProfile: SeccompProfile.pb(10).doc("Seccomp profile of the containers."),
  supplementalGroups: t.list(t.int64()).pb(4).doc("Further group ids of the first process."),
  supplementalGroupsPolicy: t.oneOf("Merge", "Strict").pb(12).pointer().doc("Whether groups that the image gives the user are added."),
  sysctls: t.list(Sysctl).pb(7).doc("Kernel parameters of the pod."),
  windowsOptions: WindowsSecurityContextOptions.pb(8).doc("The same for Windows."),
});
export interface PodSecurityContext extends t.Stored<typeof PodSecurityContext> {}
