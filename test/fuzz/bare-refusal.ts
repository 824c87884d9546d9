/** Whether a 500 is one of those by which upstream refuses what is wrong: a version that is no number (pkg/storage/cacher/delegator.go), a binding (pkg/registry/core/pod/storage BindingREST). */
export const isBareRefusal = (status: number, text: string): boolean => status === 500 && /resourceVersion: Invalid value: |target\.(kind|name): /.test(text);
