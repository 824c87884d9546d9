import { ValidatingAdmissionPolicy } from "../../src/kinds/admissionregistration/validatingadmissionpolicy.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { property } from "./property.ts";

type Spec = ValidatingAdmissionPolicy["spec"];
const warningsFor = ({ validations = [] }: Spec): readonly { readonly fieldRef: string; readonly warning: string }[] => validations.flatMap(({ expression }, i) => (expression.startsWith("bad") ? [{ fieldRef: `spec.validations[${i}].expression`, warning: expression }] : []));

property("a policy's status comes to speak of its newest generation, and says nothing that was never true of it", 5, async (seed, mutant) => {
  const first = new Map<string, Spec>();
  // The mutant judges what a policy was when it was first seen.
  const specOf = ({ metadata: { name = "" }, spec }: ValidatingAdmissionPolicy): Spec => {
    if (!first.has(name)) first.set(name, spec);
    return mutant === "old-spec" ? first.get(name)! : spec;
  };
  const cluster = new Cluster(seed, { settings: { checkPolicy: async policy => warningsFor(specOf(policy)) }, faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 9_000, rbac: true });
  const { random } = cluster;
  await cluster.start();
  /** What each generation of each policy is to be told. */
  const due = new Map<string, string>();
  cluster.onChange((type, object) => {
    if (type !== "put" || object.kind !== "ValidatingAdmissionPolicy") return;
    const { metadata, spec, status } = object as ValidatingAdmissionPolicy;
    due.set(`${metadata.uid} ${metadata.generation}`, JSON.stringify(warningsFor(spec)));
    if (status.observedGeneration !== undefined && JSON.stringify(status.typeChecking?.expressionWarnings ?? []) !== due.get(`${metadata.uid} ${status.observedGeneration}`)) cluster.violate(`${metadata.name} is told what generation ${status.observedGeneration} was not`);
  });
  cluster.runControllers(["validatingadmissionpolicy-status"]);
  for (let i = 0; i < 30; i++) {
    const name = `p${random.between(0, 3)}`;
    const spec = { matchConstraints: { resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"], operations: ["*"] }] }, validations: Array.from({ length: random.between(1, 3) }, () => ({ expression: `${random.chance(0.5) ? "bad" : "good"} ${random.between(0, 9)}` })) };
    const change = async (): Promise<unknown> => {
      if (!cluster.all(ValidatingAdmissionPolicy).some(({ metadata }) => metadata.name === name)) return cluster.admin.create(ValidatingAdmissionPolicy, { metadata: { name }, spec } as never);
      return random.chance(0.1) ? cluster.admin.delete(ValidatingAdmissionPolicy, "", name) : cluster.admin.patch(ValidatingAdmissionPolicy, "", name, { type: "merge", body: { spec } as never });
    };
    // The server may be down: then nothing is changed this time.
    await cluster.run(change().then(() => undefined, () => undefined));
    await cluster.clock.pass(random.between(0, 400));
  }
  cluster.faults = calm;
  await cluster.until(() => cluster.all(ValidatingAdmissionPolicy).every(({ metadata, status }) => status.observedGeneration === metadata.generation), 60_000, "every policy's status speaks of its newest generation");
  await cluster.stop();
}, ["old-spec"]);
