import { PersistentVolumeClaim } from "../../src/kinds/core/persistentvolumeclaim.ts";
import { VolumeAttributesClass } from "../../src/kinds/storage/volumeattributesclass.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { property } from "./property.ts";

property("a class of attributes goes when it is deleted and no claim wants it, not before", 5, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 9_000, rbac: true });
  const { random } = cluster;
  await cluster.start();
  const classes = ["a", "b", "c"];
  const claim = (name: string, volumeAttributesClassName: string) => ({ metadata: { name, namespace: "default" }, spec: { accessModes: ["ReadWriteOnce"], volumeAttributesClassName, resources: { requests: { storage: "1Gi" } } } });
  for (const name of classes) await cluster.run(cluster.admin.create(VolumeAttributesClass, { metadata: { name }, driverName: "d.example", parameters: { a: "b" } } as never));
  for (const [i, name] of classes.entries()) await cluster.run(cluster.admin.create(PersistentVolumeClaim, claim(`c${i}`, name) as never));
  const wanted = (name: string): boolean => cluster.all(PersistentVolumeClaim).some(({ spec }) => spec.volumeAttributesClassName === name);
  cluster.onChange((type, object) => {
    if (type === "delete" && object.kind === "VolumeAttributesClass" && wanted(object.metadata.name)) cluster.violate(`${object.metadata.name} went while a claim wanted it`);
  });
  // The mutant lets no class go.
  cluster.runControllers(mutant === "no-controller" ? ["pvc-protection"] : ["volumeattributesclass-protection", "pvc-protection"]);
  const leaving = classes.filter(() => random.chance(0.7));
  for (const name of leaving) await cluster.run(cluster.admin.delete(VolumeAttributesClass, "", name).then(() => undefined, () => undefined));
  await cluster.clock.pass(random.between(0, 2_000));
  cluster.faults = calm;
  for (const name of classes) await cluster.run(cluster.admin.delete(VolumeAttributesClass, "", name));
  await cluster.clock.pass(5_000);
  for (const [i] of classes.entries()) await cluster.run(cluster.admin.delete(PersistentVolumeClaim, "default", `c${i}`));
  await cluster.until(() => cluster.all(VolumeAttributesClass).length === 0, 60_000, "every deleted class is gone once its claims are");
  await cluster.stop();
}, ["no-controller"]);
