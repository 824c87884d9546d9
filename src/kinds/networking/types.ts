import * as t from "../../schema/t.ts";

export const ServiceBackendPort = t.object("io.k8s.api.networking.v1.ServiceBackendPort", {
  name: t.string().pb(1).doc("Name of the port."),
  number: t.int32().pb(2).doc("Number of the port."),
}).atomic();
export interface ServiceBackendPort extends t.Stored<typeof ServiceBackendPort> {}

export const IPBlock = t.object("io.k8s.api.networking.v1.IPBlock", {
  cidr: t.string().pb(1).required().always("zero").doc("A range of addresses."),
  except: t.list(t.string()).pb(2).doc("Ranges within it that are left out."),
});
export interface IPBlock extends t.Stored<typeof IPBlock> {}
