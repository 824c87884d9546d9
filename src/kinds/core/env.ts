import { ObjectFieldSelector, ResourceFieldSelector } from "./references.ts";
import * as t from "../../schema/t.ts";

export const ConfigMapKeySelector = t.object("io.k8s.api.core.v1.ConfigMapKeySelector", {
  key: t.string().pb(2).required().always("zero"),
  name: t.string().pb(1).within(1),
  optional: t.bool().pb(3).pointer(),
}).atomic();
export interface ConfigMapKeySelector extends t.Stored<typeof ConfigMapKeySelector> {}

export const FileKeySelector = t.object("io.k8s.api.core.v1.FileKeySelector", {
  key: t.string().pb(3).required().always("zero"),
  optional: t.bool().pb(4).pointer().default(false, "published"),
  path: t.string().pb(2).required().always("zero"),
  volumeName: t.string().pb(1).required().always("zero"),
}).atomic();
export interface FileKeySelector extends t.Stored<typeof FileKeySelector> {}

export const SecretKeySelector = t.object("io.k8s.api.core.v1.SecretKeySelector", {
  key: t.string().pb(2).required().always("zero"),
  name: t.string().pb(1).within(1),
  optional: t.bool().pb(3).pointer(),
}).atomic();
export interface SecretKeySelector extends t.Stored<typeof SecretKeySelector> {}

export const EnvVarSource = t.object("io.k8s.api.core.v1.EnvVarSource", {
  configMapKeyRef: ConfigMapKeySelector.pb(3),
  fieldRef: ObjectFieldSelector.pb(1),
  fileKeyRef: FileKeySelector.pb(5),
  resourceFieldRef: ResourceFieldSelector.pb(2),
  secretKeyRef: SecretKeySelector.pb(4),
});
export interface EnvVarSource extends t.Stored<typeof EnvVarSource> {}

export const EnvVar = t.object("io.k8s.api.core.v1.EnvVar", {
  name: t.string().pb(1).required().always("zero"),
  value: t.string().pb(2),
  valueFrom: EnvVarSource.pb(3),
});
export interface EnvVar extends t.Stored<typeof EnvVar> {}

export const ConfigMapEnvSource = t.object("io.k8s.api.core.v1.ConfigMapEnvSource", {
  name: t.string().pb(1).within(1),
  optional: t.bool().pb(2).pointer(),
});
export interface ConfigMapEnvSource extends t.Stored<typeof ConfigMapEnvSource> {}

export const SecretEnvSource = t.object("io.k8s.api.core.v1.SecretEnvSource", {
  name: t.string().pb(1).within(1),
  optional: t.bool().pb(2).pointer(),
});
export interface SecretEnvSource extends t.Stored<typeof SecretEnvSource> {}

export const EnvFromSource = t.object("io.k8s.api.core.v1.EnvFromSource", {
  configMapRef: ConfigMapEnvSource.pb(2),
  prefix: t.string().pb(1),
  secretRef: SecretEnvSource.pb(3),
});
export interface EnvFromSource extends t.Stored<typeof EnvFromSource> {}
