/** Defaults of what a claim asks for (kubernetes pkg/apis/resource/v1/defaults.go). */
type Request = { allocationMode?: string; count?: number };

/** Exactly one device, where nothing else is said. */
export function defaultDevices(devices: { readonly requests?: readonly { readonly exactly?: Request; readonly firstAvailable?: readonly Request[] }[] }): void {
  for (const { exactly, firstAvailable = [] } of devices.requests ?? []) {
    for (const request of exactly === undefined ? firstAvailable : [exactly, ...firstAvailable]) {
      request.allocationMode ||= "ExactCount";
      if (request.allocationMode === "ExactCount") request.count ||= 1;
    }
  }
}
