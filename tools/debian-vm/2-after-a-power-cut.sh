# The power was cut after the last acknowledged write. Everything is back after `up`, then gone after `delete`.
step() { echo "=== ${SECONDS}s $*"; }
step up; ./timonier up | tail -1; sleep 5
kubectl wait --for=condition=Ready pod -l 'run!=oom' --timeout=180s
step ready; kubectl get pods -o wide; echo "configmaps c1 to c20: $(kubectl get configmaps | grep -c '^c[0-9]')"
curl -s -m 20 "http://$(kubectl get svc web -o jsonpath='{.spec.clusterIP}'):5000/"
step delete; ./timonier delete; echo "left over: $(find /sys/fs/cgroup -name '*timonier*' | wc -l) cgroups, $(mount | grep -c timonier) mounts, $(nft list tables | wc -l) tables, $(ip -br link | grep -c -E 'veth|tim') links"
