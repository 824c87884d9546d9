import assert from "node:assert/strict";
import { test } from "node:test";
import { benchScheduling } from "./bench.ts";
import { explain, rejectedBy } from "./explain.ts";
import { clusterOf, podOf, random } from "../../test/scheduler/notation.ts";
import { feasibleWanted, schedulePod, totals } from "./schedule-pod.ts";

// name, nodes, pods that are there (name@node), pod, the nodes it may get (in order of preference: the best ones) or what the user is told
const cases: readonly (readonly [string, string, string, string, string])[] = [
  ["any node does", "a", "", "p", "a"],
  ["no nodes", "", "", "p", "0/0 nodes are available:"],
  ["too little CPU", "a:cpu=1 b:cpu=1", "x@a:cpu=500m", "p:cpu=1", "b"],
  ["too little CPU anywhere", "a:cpu=1 b:cpu=1", "x@a:cpu=500m y@b:cpu=1m", "p:cpu=1", "0/2 nodes are available: 2 Insufficient cpu."],
  ["exactly enough is enough", "a:cpu=1,mem=1Gi", "x@a:cpu=500m,mem=512Mi", "p:cpu=500m,mem=512Mi", "a"],
  ["every shortage is counted", "a:cpu=1,mem=1Gi,eph=1Gi", "", "p:cpu=2,mem=2Gi,eph=2Gi", "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient ephemeral-storage, 1 Insufficient memory."],
  ["extended resources", "a:gpu=1 b:gpu=2 c", "x@b:gpu=1", "p:gpu=2", "0/3 nodes are available: 3 Insufficient example.com/gpu."],
  ["an extended resource that is free", "a:gpu=1 b", "", "p:gpu=1", "a"],
  ["too many pods", "a:pods=1", "x@a", "p", "0/1 nodes are available: 1 Too many pods."],
  ["a node without room for any pod", "a:pods=0", "", "p", "0/1 nodes are available: 1 Too many pods."],
  ["finished pods take no room", "a:cpu=1", "x@a:cpu=1,phase=Succeeded", "p:cpu=1", "a"],
  ["init containers count as much as the largest of them", "a:cpu=2", "", "p:cpu=1,init=2", "a"],
  ["an init container that is too large", "a:cpu=2", "", "p:cpu=1,init=3", "0/1 nodes are available: 1 Insufficient cpu."],
  ["a sidecar runs beside the containers", "a:cpu=2", "", "p:cpu=1500m,sidecar=1", "0/1 nodes are available: 1 Insufficient cpu."],
  ["overhead counts", "a:cpu=1", "", "p:cpu=800m,overhead=300m", "0/1 nodes are available: 1 Insufficient cpu."],
  ["pod-level requests stand for the containers'", "a:cpu=1", "", "p:cpu=2,podcpu=1", "a"],
  ["cordoned", "a:cordoned b", "", "p", "b"],
  ["cordoned everywhere", "a:cordoned b:cordoned", "", "p", "0/2 nodes are available: 2 node(s) were unschedulable."],
  ["tolerating the cordon", "a:cordoned", "", "p:tol=/Exists", "a"],
  ["tainted", "a:taint=k/v/NoSchedule b", "", "p", "b"],
  ["tainted everywhere", "a:taint=k/v/NoSchedule b:taint=k/v/NoExecute", "", "p", "0/2 nodes are available: 2 node(s) had untolerated taint(s)."],
  ["tolerating by value", "a:taint=k/v/NoSchedule", "", "p:tol=k/Equal/v", "a"],
  ["tolerating another value", "a:taint=k/v/NoSchedule", "", "p:tol=k/Equal/w", "0/1 nodes are available: 1 node(s) had untolerated taint(s)."],
  ["tolerating everything", "a:taint=k/v/NoSchedule", "", "p:tol=/Exists", "a"],
  ["tolerating one of two", "a:taint=k/v/NoSchedule,taint=l//NoSchedule", "", "p:tol=k/Exists", "0/1 nodes are available: 1 node(s) had untolerated taint(s)."],
  ["a taint that only advises", "a:taint=k/v/PreferNoSchedule", "", "p", "a"],
  ["node selector", "a:disk=ssd b:disk=hdd c", "", "p:select=disk/ssd", "a"],
  ["node selector nowhere", "a:disk=hdd b", "", "p:select=disk/ssd", "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."],
  ["affinity In", "a:disk=ssd b:disk=hdd c", "", "p:need=disk/In/hdd|nvme", "b"],
  ["affinity NotIn takes nodes without the label", "a:disk=ssd b", "", "p:need=disk/NotIn/ssd", "b"],
  ["affinity Exists", "a:disk=ssd b", "", "p:need=disk/Exists", "a"],
  ["affinity DoesNotExist", "a:disk=ssd b", "", "p:need=disk/DoesNotExist", "b"],
  ["affinity Gt", "a:gen=3 b:gen=9 c:gen=x", "", "p:need=gen/Gt/5", "b"],
  ["affinity Lt", "a:gen=3 b:gen=9 c", "", "p:need=gen/Lt/5", "a"],
  ["a node by name", "a b c", "", "p:named=b", "b"],
  ["a node by name that is not there", "a b", "", "p:named=z", "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."],
  ["a node by name that is full", "a:cpu=1 b", "x@a:cpu=1", "p:cpu=1,named=a", "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]."],
  ["no node by two names", "a b", "", "p:named=a,named=b", "0/2 nodes are available: pod affinity terms conflict."],
  ["host ports", "a b", "x@a:port=80", "p:port=80", "b"],
  ["host ports taken everywhere", "a b", "x@a:port=80 y@b:port=80", "p:port=80", "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports."],
  ["another protocol is another port", "a", "x@a:port=80/UDP", "p:port=80", "a"],
  ["another IP is another port", "a", "x@a:port=80/TCP/10.0.0.1", "p:port=80/TCP/10.0.0.2", "a"],
  ["any IP is every IP", "a", "x@a:port=80/TCP/10.0.0.1", "p:port=80", "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."],
  ["reasons are counted by node and sorted", "a:cordoned b:cpu=1 c:taint=k//NoSchedule d:disk=hdd", "", "p:cpu=2,select=disk/ssd", "0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector."],
  ["anti-affinity keeps apart", "a b", "x@a:app=web", "p:app=web,avoid=host/app/web", "b"],
  ["anti-affinity everywhere", "a b", "x@a:app=web y@b:app=web", "p:avoid=host/app/web", "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules."],
  ["anti-affinity by zone", "a:zone=1 b:zone=1 c:zone=2", "x@a:app=web", "p:avoid=zone/app/web", "c"],
  ["anti-affinity of those who are there", "a b", "x@a:avoid=host/app/web", "p:app=web", "b"],
  ["anti-affinity of those who are there, everywhere", "a b", "x@a:avoid=host/app/web y@b:avoid=host/app/web", "p:app=web", "0/2 nodes are available: 2 node(s) didn't satisfy existing pods anti-affinity rules."],
  ["anti-affinity means the same namespace", "a", "x@a:app=web,ns=other", "p:avoid=host/app/web", "a"],
  ["anti-affinity with a namespace selector", "a", "x@a:app=web,ns=other", "p:avoid=host/app/web/team=red", "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules."],
  ["affinity goes to its like", "a:zone=1 b:zone=2", "x@b:app=db", "p:near=zone/app/db", "b"],
  ["affinity to nobody", "a b", "", "p:near=host/app/db", "0/2 nodes are available: 2 node(s) didn't match pod affinity rules."],
  ["affinity to itself starts a series", "a b", "", "p:app=db,near=host/app/db", "a b"],
  ["affinity needs the label on the node", "a b:zone=1", "", "p:app=db,near=zone/app/db", "b"],
  ["spread over zones", "a:zone=1 b:zone=2", "x@a:app=web", "p:app=web,spread=zone/1", "b"],
  ["spread that is impossible", "a:zone=1 b:zone=2,cordoned", "x@a:app=web", "p:app=web,spread=zone/1", "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) were unschedulable."],
  ["spread needs the label", "a b", "", "p:app=web,spread=zone/1", "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints (missing required label)."],
  ["spread with too few domains", "a:zone=1", "x@a:app=web", "p:app=web,spread=zone/1/2", "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints."],
  ["spread does not count nodes the pod cannot use", "a:zone=1,disk=ssd b:zone=2", "x@a:app=web", "p:app=web,spread=zone/1,select=disk/ssd", "a"],
  ["spread does not count pods being deleted", "a:zone=1 b:zone=2", "x@a:app=web,dying y@b:app=web", "p:app=web,spread=zone/1", "a"],
  // Preferences.
  ["least allocated", "a:cpu=4,mem=4Gi b:cpu=4,mem=4Gi", "x@a:cpu=2,mem=2Gi", "p:cpu=1,mem=1Gi", "b"],
  ["more balanced use than before", "a:cpu=10,mem=10Gi b:cpu=10,mem=10Gi", "x@a:cpu=5,mem=1Gi y@b:cpu=3,mem=3Gi", "p:mem=1Gi", "a"],
  ["fewer advising taints", "a:taint=k/v/PreferNoSchedule b", "", "p", "b"],
  ["preferred affinity", "a b:disk=ssd", "", "p:like=disk/In/ssd/10", "b"],
  ["heavier preference wins", "a:disk=ssd b:gen=2", "", "p:like=disk/In/ssd/10,like=gen/Exists//60", "b"],
  ["images that are there", "a b:image=i/500 c:image=i/500", "", "p:cpu=1", "b c"],
  ["preferred nearness", "a:zone=1 b:zone=2", "x@b:app=db", "p:wish=zone/app/db/50", "b"],
  ["preferred distance", "a:zone=1 b:zone=2", "x@b:app=db", "p:shun=zone/app/db/50", "a"],
  ["liked by those who are there", "a:zone=1 b:zone=2", "x@b:wish=zone/app/web/50", "p:app=web", "b"],
  ["needed by those who are there", "a:zone=1 b:zone=2", "x@b:app=db,near=zone/app/db", "p:app=db", "b"],
  ["shunned by those who are there", "a:zone=1 b:zone=2", "x@b:shun=zone/app/web/50", "p:app=web", "a"],
  ["soft spreading", "a:zone=1 b:zone=2", "x@a:app=web", "p:app=web,softspread=zone/1", "b"],
  ["siblings are spread over nodes without asking", "a b c", "x@a:app=web y@b:app=web", "p:app=web,siblings=app/web", "c"],
  ["siblings are spread over zones too", "a:zone=1 b:zone=1 c:zone=2 d:zone=2", "x@a:app=web", "p:app=web,siblings=app/web", "c d"],
];

for (const [name, nodes, pods, pod, want] of cases)
  test(`${name}: [${pods}] on [${nodes}], then ${pod}`, () => {
    const { cluster, pods: [given] } = clusterOf(nodes, pods, pod);
    const found = schedulePod(given!, cluster, random());
    if (found.node === undefined) {
      assert.equal(explain(found.diagnosis), want);
      return;
    }
    const feasible = cluster.nodes.filter(node => schedulableOn(node.name, nodes, pods, pod));
    const points = totals(given!, feasible, cluster), best = Math.max(...points);
    assert.equal(feasible.filter((_, i) => points[i] === best).map(node => node.name).join(" "), want);
    assert.ok(want.split(" ").includes(found.node), `${found.node} is not one of the best`);
  });

/** Whether the pod may run on this node, the others being cordoned. */
function schedulableOn(name: string, nodes: string, pods: string, pod: string): boolean {
  const others = nodes.split(" ").map(node => (node.split(":")[0] === name ? node : `${node}${node.includes(":") ? "," : ":"}cordoned`)).join(" ");
  const { cluster, pods: [given] } = clusterOf(others, pods, pod);
  return schedulePod(given!, cluster, random()).node === name;
}

test("upstream's samples of nodes", () => {
  const wanted = [[10, 10], [99, 99], [100, 100], [200, 100], [250, 120], [1000, 420], [5000, 500], [6000, 300], [15000, 750]] as const;
  assert.deepEqual(wanted.map(([nodes]) => feasibleWanted(nodes)), wanted.map(([, sample]) => sample));
});

test("large clusters are searched in turns", () => {
  const { cluster } = clusterOf(Array.from({ length: 300 }, (_, i) => `n${i}`).join(" "), "");
  const first = schedulePod(podOf("p"), cluster, random());
  assert.ok(first.node !== undefined && first.evaluated === feasibleWanted(300));
  assert.equal(cluster.searchFrom, feasibleWanted(300));
});

test("zones take turns", () => {
  const { cluster } = clusterOf("a:zone=1 b:zone=1 c:zone=2 d:zone=3 e:zone=3", "");
  assert.deepEqual(cluster.nodes.map(node => node.name), ["a", "c", "d", "b", "e"]);
});

test("a nominated node is tried first", () => {
  const { cluster, pods: [pod] } = clusterOf("a:cpu=9 b:cpu=1", "", "p:cpu=1,promised=b");
  assert.equal(schedulePod(pod!, cluster, random()).node, "b");
});

test("a place promised to a more important pod is not given away", () => {
  const { cluster, pods: [important, lesser] } = clusterOf("a:cpu=1", "", "p:cpu=1,prio=10 q:cpu=1,prio=5");
  cluster.nominate(important!, "a");
  const decision = schedulePod(lesser!, cluster, random());
  assert.equal(decision.node, undefined);
  assert.equal(schedulePod(important!, cluster, random()).node, "a");
  cluster.denominate(important!.uid);
  assert.equal(schedulePod(lesser!, cluster, random()).node, "a");
});

test("a diagnosis names the plugins that said no", () => {
  const { cluster, pods: [pod] } = clusterOf("a:cordoned b:cpu=1", "", "p:cpu=2");
  const decision = schedulePod(pod!, cluster, random());
  assert.deepEqual(decision.node === undefined && [...rejectedBy(decision.diagnosis)].sort(), ["NodeResourcesFit", "NodeUnschedulable"]);
});

for (const shape of ["basic", "spread", "anti-affinity"] as const)
  test(`the ${shape} benchmark places all of its pods`, () => {
    assert.equal(benchScheduling({ nodes: 60, pods: 50, shape }, random()), 50);
  });
