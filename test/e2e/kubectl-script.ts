/** What `kubectl-verbs.test.ts` types: every verb and subcommand that needs no container's insides, on simulated nodes. `<` gives standard input. */
const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: shop
        image: 127.0.0.1:5000/hello:v1
        ports: [{containerPort: 5000, name: http}]
        resources: {requests: {cpu: 10m, memory: 16Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: http}]}
`;
const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.fleet.example.com}
spec:
  group: fleet.example.com
  names: {kind: Boat, plural: boats, singular: boat, shortNames: [bt]}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.crew, statusReplicasPath: .status.crew}}
    additionalPrinterColumns: [{name: Sails, type: integer, jsonPath: .spec.sails}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [sails]
            properties: {sails: {type: integer, minimum: 1, description: How many sails she carries.}, crew: {type: integer, default: 1}}
          status: {type: object, properties: {crew: {type: integer}}}
`;
export type Step = string | readonly [command: string, input: string];
/** A step that begins with `~` is tried until it succeeds and leaves no trace. */
export const script: readonly Step[] = [
  "version --client=false", "cluster-info", "api-versions", "api-resources -o name", "api-resources --namespaced=false --api-group=rbac.authorization.k8s.io", "get --raw /healthz", "get --raw /version/nothing",
  "config current-context", "config get-clusters", "get nodes", "get componentstatuses", "get namespaces", "describe namespace default", "auth can-i create pods", "auth can-i --list --as=nobody", "auth can-i delete nodes --as=system:serviceaccount:default:default",
  // create, every generator
  "create namespace course", "create configmap settings --from-literal=colour=blue --from-literal=depth=12 -n course", "create secret generic key --from-literal=word=open -n course", "create secret tls none --cert=/dev/null --key=/dev/null",
  "create secret docker-registry pull --docker-server=r.example.com --docker-username=u --docker-password=p -n course", "create serviceaccount robot -n course", "create role reader --verb=get,list --resource=pods -n course", "create clusterrole watcher --verb=watch --resource=nodes",
  "create rolebinding robots --role=reader --serviceaccount=course:robot -n course", "create clusterrolebinding watchers --clusterrole=watcher --serviceaccount=course:robot", "auth can-i list pods -n course --as=system:serviceaccount:course:robot",
  "create quota few --hard=pods=20,services=5 -n course", "create priorityclass urgent --value=1000 --description=first", "create service clusterip plain --tcp=80:5000 -n course",
  "create service nodeport outside --tcp=80:5000 --node-port=30123 -n course", "create service externalname far --external-name=example.com -n course", "create ingress site --rule=shop.example.com/*=shop:80 -n course", "create job once --image=127.0.0.1:5000/hello:v1 -n course",
  "~wait --for=condition=complete job/once -n course --timeout=30s", "create cronjob nightly --image=127.0.0.1:5000/hello:v1 '--schedule=0 3 * * *' -n course", "create job now --from=cronjob/nightly -n course", "create deployment tool --image=127.0.0.1:5000/hello:v1 --replicas=1 -n course", "~rollout status deployment/tool -n course --timeout=30s",
  "config set-context --current --namespace=course",
  // apply, both ways; diff
  ["apply -f -", web], ["apply -f -", web], "~rollout status deployment/shop --timeout=30s", "create poddisruptionbudget shop --selector=app=shop --min-available=1", ["diff -f -", web], ["diff -f -", web.replace("replicas: 2", "replicas: 3")], ["apply -f - --dry-run=server", web.replace("replicas: 2", "replicas: 3")], ["apply --server-side -f -", web],
  ["apply --server-side --field-manager=other -f -", web.replace("replicas: 2", "replicas: 4")], ["apply --server-side --field-manager=other --force-conflicts -f -", web.replace("replicas: 2", "replicas: 3")], "apply view-last-applied service/shop", ["apply -f -", "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {containers: [{name: c}]}\n"],
  ["apply -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndta: {a: b}\n"], ["create -f -", "apiVersion: nothing/v1\nkind: None\nmetadata: {name: x}\n"], ["create -f -", "{not yaml"],
  // get, every format
  "~rollout status deployment/shop --timeout=30s", "get deployments", "get deploy,rs,svc -l app=shop", "get deploy shop -o wide", "get deploy shop -o name", "get svc shop -o yaml", "get cm settings -o json", "get deploy shop -o jsonpath='{.spec.replicas} {.metadata.labels}'", "get deploy -o custom-columns=NAME:.metadata.name,WANT:.spec.replicas",
  "get deploy -o go-template='{{range .items}}{{.metadata.name}} {{end}}'", "get deploy --sort-by=.metadata.name -o name", "get deploy --show-labels", "get deploy -L app", "get deploy --no-headers", "get all -l app=tool", "get pods --field-selector=status.phase=Failed", "get pods --field-selector=spec.colour=blue", "get deploy nothing", "get nothing", "get cm settings nope",
  "get cm settings -o jsonpath-as-json={.data}", "get cm -A --field-selector=metadata.name=settings", "get svc outside plain far",
  // change
  "label deploy shop tier=front", "label deploy shop tier=back", "label deploy shop tier=back --overwrite", "label deploy shop tier-", "annotate deploy shop note=hello", "annotate deploy shop note-", "scale deploy shop --replicas=2", "scale deploy shop --current-replicas=9 --replicas=1", "set image deploy/shop shop=127.0.0.1:5000/hello:v2",
  "~rollout status deployment/shop --timeout=30s", "set env deploy/shop COLOUR=red", "set env deploy/shop --list", "set resources deploy/shop --limits=cpu=100m", "set serviceaccount deploy/shop robot", "~rollout status deployment/shop --timeout=30s", "set selector service/plain app=shop", "set subject rolebinding robots --user=anna",
  "patch deploy shop -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"shop\",\"env\":[{\"name\":\"COLOUR\",\"value\":\"green\"}]}]}}}}'", "patch deploy shop --type=merge -p '{\"metadata\":{\"labels\":{\"by\":\"merge\"}}}'", "patch deploy shop --type=json -p '[{\"op\":\"test\",\"path\":\"/metadata/labels/by\",\"value\":\"merge\"},{\"op\":\"remove\",\"path\":\"/metadata/labels/by\"}]'",
  "patch deploy shop --type=json -p '[{\"op\":\"test\",\"path\":\"/metadata/labels/app\",\"value\":\"other\"}]'", "patch deploy shop --type=merge -p '{\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"other\"}}}}'", "patch deploy shop --subresource=scale --type=merge -p '{\"spec\":{\"replicas\":3}}'", "~rollout status deployment/shop --timeout=30s",
  "rollout history deploy/shop", "rollout history deploy/shop --revision=1", "rollout undo deploy/shop --to-revision=1", "rollout pause deploy/shop", "rollout undo deploy/shop", "rollout resume deploy/shop", "rollout restart deploy/shop", "~rollout status deployment/shop --timeout=30s", "rollout status deploy/shop", "autoscale deploy shop --min=2 --max=5 --cpu-percent=80",
  "wait --for=condition=Available deploy/shop --timeout=20s", "wait --for=delete deploy/nothing --timeout=2s", "wait --for=condition=Ready pod/nothing --timeout=1s", "expose deploy shop --port=81 --target-port=5000 --name=shop2", "expose deploy shop --port=81 --name=shop2", "run single --image=127.0.0.1:5000/hello:v1 --restart=Never", "~wait --for=condition=Ready pod/single --timeout=30s", "run dry --image=x --dry-run=client -o yaml",
  ["replace -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: green}\n"], ["replace --force -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: white}\n"], ["replace -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: absent}\n"], "EDIT colour: white|colour: black edit cm settings", "get cm settings -o jsonpath={.data}", "EDIT colour: black|colour: [black] edit cm settings",
  // look
  "describe deploy tool", "describe svc plain", "describe cm settings", "describe secret key", "describe quota few", "describe sa robot", "describe role reader", "describe pdb shop", "describe ingress site", "describe cronjob nightly", "explain deployment.spec.strategy", "explain pod.spec.nothing", "explain service.spec.ports",
  // custom resources
  ["apply -f -", crd], "~wait --for=condition=Established crd/boats.fleet.example.com --timeout=20s", "~get boats", ["apply -f -", "apiVersion: fleet.example.com/v1\nkind: Boat\nmetadata: {name: argo}\nspec: {sails: 2}\n"], ["apply -f -", "apiVersion: fleet.example.com/v1\nkind: Boat\nmetadata: {name: hulk}\nspec: {sails: 0}\n"], ["create -f -", "apiVersion: fleet.example.com/v1\nkind: Boat\nmetadata: {name: raft}\nspec: {oars: 2, sails: 1}\n"],
  "get bt", "get boat argo -o yaml", "scale boat argo --replicas=5", "patch boat argo --type=merge -p '{\"spec\":{\"sails\":3}}'", "patch boat argo -p '{\"spec\":{\"sails\":3}}'", "explain boat.spec.sails", "describe boat argo", "delete crd boats.fleet.example.com", "get boats",
  // nodes, certificates, the end (a pod of nobody's would not outlive the drain, if it is there)
  "delete pod single", "cordon sim-0", "get nodes", "uncordon sim-0", "taint nodes sim-1 wet=yes:NoSchedule", "taint nodes sim-1 wet=yes:NoSchedule", "taint nodes sim-1 wet-", "drain sim-0 --ignore-daemonsets --force", "uncordon sim-0", "certificate approve nothing", "get events --field-selector=reason=nothing",
  "delete pod,svc -l app=nothing", "delete cm settings --dry-run=server", "delete cm settings", "delete cm settings --ignore-not-found", "delete deploy shop --cascade=orphan", "get rs -l app=shop -o jsonpath='{.items[*].metadata.ownerReferences}'", "delete rs -l app=shop", "delete all -l app=tool", "delete ns course", "get cm", "config set-context --current --namespace=default", "delete clusterrole watcher", "delete clusterrolebinding watchers", "delete priorityclass urgent",
];
