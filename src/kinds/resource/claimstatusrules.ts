/** What the status of a claim for devices may say (kubernetes pkg/apis/resource/validation validateResourceClaimStatusUpdate, pkg/registry/resource/resourceclaim). */
import { parseCidr, renderIp } from "../../base/ip.ts";
import { sameJson } from "../../base/json.ts";
import { forbidden, invalidValue, notSupported, type Problem, required, tooLong, tooMany } from "../../schema/problem.ts";
import { validateNodeSelector } from "../core/affinityrules.ts";
import { validateDriverName } from "../core/volumesourcerules.ts";
import { validateConditions } from "../meta/rules.ts";
import type { AllocatedDeviceStatus, AllocationResult, ResourceClaimStatus } from "./resourceclaim.ts";
import { label, opaqueProblems, rawProblems, referenceProblem, referenceProblems, requestNames } from "./rules.ts";
import { conditionProblems, poolNameProblems, set } from "./slicerules.ts";
import type { DeviceClaim } from "./types.ts";

type ClaimLike = { readonly metadata: { readonly deletionTimestamp?: string | undefined }; readonly spec: { readonly devices: DeviceClaim }; readonly status: ResourceClaimStatus };
type Identity = { readonly driver: string; readonly pool: string; readonly device: string; readonly shareID?: string | undefined };

const [usersMax, resultsMax, configsMax, conditionsMax, addressesMax] = [256, 32, 64, 8, 16];
const [interfaceNameMax, hardwareAddressMax] = [256, 128];
const unlimited = Infinity;
const idOf = ({ driver, pool, device, shareID = "" }: Identity): string => [driver, pool, device, ...(shareID === "" ? [] : [shareID])].join("/");
const allocatedIn = ({ allocation }: ResourceClaimStatus): ReadonlySet<string> => new Set((allocation?.devices.results ?? []).map(idOf));

/** Devices that were taken back are not spoken of any more. */
export function withoutTakenBack(status: ResourceClaimStatus, previous: ResourceClaimStatus): ResourceClaimStatus["devices"] {
  const [now, before] = [allocatedIn(status), allocatedIn(previous)];
  const left = (status.devices ?? []).filter(device => !before.has(idOf(device)) || now.has(idOf(device)));
  return left.length === 0 ? undefined : left;
}

export function* claimStatusProblems({ metadata, spec, status }: ClaimLike, previous: ClaimLike): Iterable<Problem> {
  const { reservedFor = [], devices = [], allocation } = status;
  yield* set(reservedFor, usersMax, ({ uid }) => uid, "status.reservedFor", function* (user, path) {
    for (const field of ["resource", "name", "uid"] as const) if (user[field] === "") yield required(`${path}.${field}`);
  });
  const allocated = allocatedIn(status);
  yield* set(devices, unlimited, idOf, "status.devices", (device, path) => deviceProblems(device, allocated, path));
  if (reservedFor.length > 0 && allocation === undefined) yield forbidden("status.reservedFor", "may not be specified when `allocated` is not set");
  else if (metadata.deletionTimestamp !== undefined && reservedFor.some(user => !(previous.status.reservedFor ?? []).some(other => sameJson(user, other)))) yield forbidden("status.reservedFor", "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set");
  if (allocation === undefined) return;
  if (previous.status.allocation === undefined) yield* allocationProblems(allocation, requestNames(spec.devices));
  else if (!sameJson(allocation, previous.status.allocation)) yield invalidValue("status.allocation", allocation, "field is immutable");
}

function* allocationProblems({ devices: { results = [], config = [] }, nodeSelector }: AllocationResult, names: ReadonlySet<string>): Iterable<Problem> {
  const path = "status.allocation";
  if (results.length > resultsMax) yield tooMany(`${path}.devices.results`, results.length, resultsMax);
  else for (const [i, result] of results.entries()) {
    const here = `${path}.devices.results[${i}]`;
    yield* referenceProblem(result.request, names, `${here}.request`);
    yield* identityProblems(result, here);
    yield* conditionProblems(result, here);
  }
  if (config.length > configsMax) yield tooMany(`${path}.devices.config`, config.length, configsMax);
  else for (const [i, { source, requests = [], opaque }] of config.entries()) {
    const here = `${path}.devices.config[${i}]`;
    if ((source as string) === "") yield required(`${here}.source`);
    else if (source !== "FromClaim" && source !== "FromClass") yield notSupported(`${here}.source`, source, ["FromClaim", "FromClass"]);
    yield* referenceProblems(requests, names, `${here}.requests`);
    yield* opaqueProblems(opaque, `${here}.opaque`);
  }
  if (nodeSelector !== undefined) yield* validateNodeSelector(nodeSelector, `${path}.nodeSelector`);
}

function* identityProblems({ driver, pool, device, shareID }: Identity, path: string): Iterable<Problem> {
  yield* validateDriverName(driver, `${path}.driver`);
  yield* poolNameProblems(pool, `${path}.pool`);
  yield* label(device, `${path}.device`);
  if (shareID === undefined) return;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(shareID)) yield invalidValue(`${path}.shareID`, shareID, `error validating uid: ${shareID.length === 36 ? "invalid UUID format" : `invalid UUID length: ${shareID.length}`}`);
  else if (shareID !== shareID.toLowerCase()) yield invalidValue(`${path}.shareID`, shareID, "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters");
}

function* deviceProblems(device: AllocatedDeviceStatus, allocated: ReadonlySet<string>, path: string): Iterable<Problem> {
  const { conditions = [], data, networkData } = device;
  yield* identityProblems(device, path);
  if (!allocated.has(idOf(device))) yield invalidValue(path, { Driver: device.driver, Pool: device.pool, Device: device.device, ShareID: device.shareID ?? "" }, "must be an allocated device in the claim");
  if (conditions.length > conditionsMax) yield tooMany(`${path}.conditions`, conditions.length, conditionsMax);
  yield* validateConditions(conditions, `${path}.conditions`);
  if (data !== undefined && data !== null) yield* rawProblems(data, `${path}.data`);
  if (networkData === undefined) return;
  const { interfaceName = "", hardwareAddress = "", ips = [] } = networkData;
  if (interfaceName.length > interfaceNameMax) yield tooLong(`${path}.networkData.interfaceName`, interfaceNameMax);
  if (hardwareAddress.length > hardwareAddressMax) yield tooLong(`${path}.networkData.hardwareAddress`, hardwareAddressMax);
  yield* set(ips, addressesMax, ip => ip, `${path}.networkData.ips`, addressProblems);
}
function* addressProblems(value: string, path: string): Iterable<Problem> {
  const cidr = parseCidr(value);
  if (cidr === undefined) return yield invalidValue(path, value, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)");
  const canonical = `${renderIp(cidr)}/${cidr.bits}`;
  if (value !== canonical) yield invalidValue(path, value, `must be in canonical form (${JSON.stringify(canonical)})`);
}
