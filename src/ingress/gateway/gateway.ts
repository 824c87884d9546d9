import { ageColumn, conditions, declare, gatewayGroup, group, kindField, list, listBy, namespaceField, object, objectName, oneOf, patterns, pending, portField, rules, sectionName, text, type Condition, type Schema } from "./schema.ts";

export type Listener = {
  readonly name: string;
  readonly hostname?: string;
  readonly port: number;
  readonly protocol: string;
  readonly tls?: { readonly mode?: string; readonly certificateRefs?: readonly { readonly group?: string; readonly kind?: string; readonly name: string; readonly namespace?: string }[]; readonly options?: { readonly [name: string]: string } };
  readonly allowedRoutes?: {
    readonly namespaces?: { readonly from?: "All" | "Selector" | "Same"; readonly selector?: { readonly matchLabels?: { readonly [name: string]: string }; readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[] } };
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[];
  };
};
export type Gateway = {
  readonly spec: { readonly gatewayClassName: string; readonly listeners: readonly Listener[]; readonly addresses?: readonly { readonly type?: string; readonly value?: string }[]; readonly infrastructure?: { readonly labels?: { readonly [name: string]: string }; readonly annotations?: { readonly [name: string]: string }; readonly parametersRef?: { readonly group: string; readonly kind: string; readonly name: string } } };
  readonly status?: {
    readonly addresses?: readonly { readonly type?: string; readonly value: string }[];
    readonly conditions?: readonly Condition[];
    readonly listeners?: readonly ListenerStatus[];
  };
};
export type ListenerStatus = { readonly name: string; readonly attachedRoutes: number; readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[]; readonly conditions: readonly Condition[] };

const isName = "matches(r\"^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$\")";
const nameText = "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const ipOrOther = { oneOf: [{ properties: { type: { enum: ["IPAddress"] }, value: { anyOf: [{ format: "ipv4" }, { format: "ipv6" }] } } }, { properties: { type: { not: { enum: ["IPAddress"] } } } }] };
const addressType = text("IPAddress, Hostname, NamedAddress, or a domain and path of the controller's own.", { minLength: 1, maxLength: 253, default: "IPAddress", pattern: patterns.addressType });
const metaKeys = (what: string) => rules(
  ['self.all(key, key.matches(r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$"))', `${what} keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.`],
  ['self.all(key, key.split("/")[0].size() < 253)', `If specified, the ${what.toLowerCase()} key's prefix must be a DNS subdomain not longer than 253 characters in total.`],
);
const routeKinds = (description: string): Schema => list(description, object("A kind of route.", { group: group(gatewayGroup), kind: kindField(undefined) }, ["kind"]), 8);

const listener = object("A port that is listened on, and what may be attached to it.", {
  name: sectionName("Its name, by which routes may refer to it."),
  hostname: text("Only requests for this name, or below *.name; all if absent.", { minLength: 1, maxLength: 253, pattern: patterns.hostname }),
  port: portField("The port."),
  protocol: text("HTTP or HTTPS; others are known to the definition but not served.", { minLength: 1, maxLength: 255, pattern: patterns.protocol }),
  tls: object("How TLS is ended.", {
    mode: oneOf("Terminate: here. Passthrough: by the backend.", ["Terminate", "Passthrough"], { default: "Terminate" }),
    certificateRefs: list("Secrets with certificate and key.", object("A Secret.", { group: group(""), kind: kindField("Secret"), name: objectName, namespace: namespaceField }, ["name"]), 64),
    options: { type: "object", description: "Settings of the controller's own.", maxProperties: 16, additionalProperties: { type: "string", minLength: 0, maxLength: 4096 } },
  }, [], rules(["self.mode != 'Terminate' || size(self.certificateRefs) > 0 || size(self.options) > 0", "certificateRefs or options must be specified when mode is Terminate"])),
  allowedRoutes: object("Which routes may attach themselves.", {
    kinds: routeKinds("Kinds of routes; those of the protocol if empty."),
    namespaces: object("From which namespaces.", {
      from: oneOf("All, Same (the gateway's own), or Selector.", ["All", "Selector", "Same"], { default: "Same" }),
      selector: object("Namespaces with these labels.", {
        matchExpressions: { type: "array", description: "Demands on labels.", "x-kubernetes-list-type": "atomic", items: object("One demand.", { key: text("The label."), operator: text("In, NotIn, Exists or DoesNotExist."), values: { type: "array", description: "Values.", items: { type: "string" }, "x-kubernetes-list-type": "atomic" } }, ["key", "operator"]) },
        matchLabels: { type: "object", description: "Labels with these values.", additionalProperties: { type: "string" } },
      }, [], { "x-kubernetes-map-type": "atomic" }),
    }, [], { default: { from: "Same" } }),
  }, [], { default: { namespaces: { from: "Same" } } }),
}, ["name", "port", "protocol"]);

export const gateways = declare<Gateway>({
  kind: "Gateway", plural: "gateways", shortNames: ["gtw"], namespaced: true, version: "v1", also: ["v1beta1"],
  doc: "Ports at which requests come in; routes attach themselves to it.",
  spec: object("What is listened on.", {
    gatewayClassName: text("The class, and with it who serves it.", { minLength: 1, maxLength: 253 }),
    listeners: list("Ports and names.", listener, 64, {
      minItems: 1, ...listBy("name"), ...rules(
        ["self.all(l, !(l.protocol in ['HTTP', 'TCP', 'UDP']) || !has(l.tls))", "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"],
        ["self.all(l, l.protocol != 'HTTPS' || !has(l.tls) || l.tls.mode == '' || l.tls.mode == 'Terminate')", "tls mode must be Terminate for protocol HTTPS"],
        ["self.all(l, !(l.protocol in ['TCP', 'UDP']) || !has(l.hostname) || l.hostname == '')", "hostname must not be specified for protocols ['TCP', 'UDP']"],
        ["self.all(l, self.exists_one(other, other.name == l.name))", "Listener name must be unique within the Gateway"],
        ["self.all(l, self.exists_one(other, other.port == l.port && other.protocol == l.protocol && (has(l.hostname) ? has(other.hostname) && other.hostname == l.hostname : !has(other.hostname))))", "Combination of port, protocol and hostname must be unique for each listener"],
      ),
    }),
    addresses: list("Addresses that are asked for.", object("An address.", { type: addressType, value: text("The address.", { maxLength: 253 }) }, [], {
      ...ipOrOther, ...rules([`self.type != 'Hostname' || !has(self.value) || self.value.${isName}`, `Hostname value must be empty or contain only valid characters (matching ${nameText})`]),
    }), 16, rules(
      ["self.all(a, a.type != 'IPAddress' || !has(a.value) || self.exists_one(other, other.type == a.type && has(other.value) && other.value == a.value))", "IPAddress values must be unique"],
      ["self.all(a, a.type != 'Hostname' || !has(a.value) || self.exists_one(other, other.type == a.type && has(other.value) && other.value == a.value))", "Hostname values must be unique"],
    )),
    infrastructure: object("For what a controller makes on behalf of the gateway; this one makes nothing.", {
      annotations: { type: "object", description: "Annotations of it.", maxProperties: 8, additionalProperties: { type: "string", minLength: 0, maxLength: 4096 }, ...metaKeys("Annotation") },
      labels: { type: "object", description: "Labels of it.", maxProperties: 8, additionalProperties: { type: "string", minLength: 0, maxLength: 63, pattern: "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$" }, ...metaKeys("Label") },
      parametersRef: object("An object with further settings.", { group: group(undefined), kind: kindField(undefined), name: objectName }, ["group", "kind", "name"]),
    }),
  }, ["gatewayClassName", "listeners"]),
  isSpecRequired: true,
  status: object("What its controller says of it.", {
    addresses: list("Where it can be reached.", object("An address.", { type: addressType, value: text("The address.", { minLength: 1, maxLength: 253 }) }, ["value"], {
      ...ipOrOther, ...rules([`self.type != 'Hostname' || self.value.${isName}`, `Hostname value must only contain valid characters (matching ${nameText})`]),
    }), 16),
    conditions: conditions({ default: pending("Accepted", "Programmed") }),
    listeners: list("Each listener.", object("A listener.", {
      name: sectionName("Its name."), attachedRoutes: { type: "integer", format: "int32", description: "How many routes are attached to it." }, supportedKinds: routeKinds("Kinds of routes that it takes."), conditions: conditions(),
    }, ["attachedRoutes", "conditions", "name", "supportedKinds"]), 64, listBy("name")),
  }, [], { default: { conditions: pending("Accepted", "Programmed") } }),
  columns: [{ name: "Class", type: "string", jsonPath: ".spec.gatewayClassName" }, { name: "Address", type: "string", jsonPath: ".status.addresses[*].value" }, { name: "Programmed", type: "string", jsonPath: '.status.conditions[?(@.type=="Programmed")].status' }, ageColumn],
});
