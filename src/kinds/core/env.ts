import { ObjectFieldSelector, ResourceFieldSelector } from "./references.ts";
import * as t from "../../schema/t.ts";

export const ConfigMapKeySelector = t.object("io.k8s.api.core.v1.ConfigMapKeySelector", {
  key: t.string().pb(2).required().always("zero").doc("The key."),
  name: t.string().pb(1).within(1).default("", "published").doc("The config map."),
  optional: t.bool().pb(3).pointer().doc("Whether the map or the key may be missing."),
}).atomic();
export interface ConfigMapKeySelector extends t.Stored<typeof ConfigMapKeySelector> {}

export const FileKeySelector = t.object("io.k8s.api.core.v1.FileKeySelector", {
  key: t.string().pb(3).required().always("zero").doc("The variable in that file."),
  optional: t.bool().pb(4).pointer().default(false, "published").doc("Whether the file or the variable may be missing."),
  path: t.string().pb(2).required().always("zero").doc("Path of the file within the volume."),
  volumeName: t.string().pb(1).required().always("zero").doc("The pod's volume that holds the file."),
}).atomic();
export interface FileKeySelector extends t.Stored<typeof FileKeySelector> {}

export const SecretKeySelector = t.object("io.k8s.api.core.v1.SecretKeySelector", {
  key: t.string().pb(2).required().always("zero").doc("The key."),
  name: t.string().pb(1).within(1).default("", "published").doc("The secret."),
  optional: t.bool().pb(3).pointer().doc("Whether the secret or the key may be missing."),
}).atomic();
export interface SecretKeySelector extends t.Stored<typeof SecretKeySelector> {}

export const EnvVarSource = t.object("io.k8s.api.core.v1.EnvVarSource", {
  configMapKeyRef: ConfigMapKeySelector.pb(3).doc("From a config map."),
  fieldRef: ObjectFieldSelector.pb(1).doc("From a field of the pod itself."),
  fileKeyRef: FileKeySelector.pb(5).doc("From a file that an init container has written to a volume."),
  resourceFieldRef: ResourceFieldSelector.pb(2).doc("From a container's resources."),
  secretKeyRef: SecretKeySelector.pb(4).doc("From a secret."),
});
export interface EnvVarSource extends t.Stored<typeof EnvVarSource> {}

export const EnvVar = t.object("io.k8s.api.core.v1.EnvVar", {
  name: t.string().pb(1).required().always("zero").doc("Name of the variable."),
  value: t.string().pb(2).doc("Its value, in which $(NAME) stands for variables given before."),
  valueFrom: EnvVarSource.pb(3).doc("Where the value is taken from instead."),
});
export interface EnvVar extends t.Stored<typeof EnvVar> {}

export const ConfigMapEnvSource = t.object("io.k8s.api.core.v1.ConfigMapEnvSource", {
  name: t.string().pb(1).within(1).default("", "published").doc("The config map."),
  optional: t.bool().pb(2).pointer().doc("Whether it may be missing."),
});
export interface ConfigMapEnvSource extends t.Stored<typeof ConfigMapEnvSource> {}

export const SecretEnvSource = t.object("io.k8s.api.core.v1.SecretEnvSource", {
  name: t.string().pb(1).within(1).default("", "published").doc("The secret."),
  optional: t.bool().pb(2).pointer().doc("Whether it may be missing."),
});
export interface SecretEnvSource extends t.Stored<typeof SecretEnvSource> {}

export const EnvFromSource = t.object("io.k8s.api.core.v1.EnvFromSource", {
  configMapRef: ConfigMapEnvSource.pb(2).doc("From a config map."),
  prefix: t.string().pb(1).doc("What is put before each of the names."),
  secretRef: SecretEnvSource.pb(3).doc("From a secret."),
});
export interface EnvFromSource extends t.Stored<typeof EnvFromSource> {}
