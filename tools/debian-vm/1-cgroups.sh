# Pods, limits and a restart of everything but the pods, where systemd owns the one cgroup hierarchy.
step() { echo "=== ${SECONDS}s $*"; }
step machine; uname -r; grep cgroup /proc/self/mountinfo; cat /sys/fs/cgroup/cgroup.controllers
step up; ./timonier up --no-install --registries /opt/registries.yaml
step deploy; kubectl create deployment web --image=127.0.0.1:5000/hello:v1; kubectl set resources deployment web --limits=cpu=500m,memory=64Mi --requests=cpu=100m,memory=32Mi; kubectl rollout status deploy/web --timeout=300s
step limits; pod=$(find /sys/fs/cgroup/timonier* -path '*burstable/pod*' -type d | head -1); for file in cpu.max cpu.weight memory.max; do echo "$file: $(cat "$pod/$file")"; done
step exec and logs; kubectl exec deploy/web -- sh -c 'cat /proc/self/cgroup; hostname'; kubectl logs deploy/web
step service; kubectl expose deploy/web --port=5000; sleep 2; curl -s -m 20 "http://$(kubectl get svc web -o jsonpath='{.spec.clusterIP}'):5000/"
step out of memory; kubectl run oom --image=127.0.0.1:5000/busybox:1 --restart=Never --overrides='{"apiVersion":"v1","spec":{"containers":[{"name":"oom","image":"127.0.0.1:5000/busybox:1","command":["sh","-c","x=a; while true; do x=$x$x; done"],"resources":{"limits":{"memory":"24Mi"}}}]}}'
for _ in $(seq 60); do [ "$(kubectl get pod oom -o jsonpath='{.status.phase}')" = Failed ] && break; sleep 2; done; kubectl get pod oom -o jsonpath='{.status.containerStatuses[0].state.terminated.reason}'; echo
step restart; before=$(pgrep -f 'httpd -f -v' | head -1); systemctl daemon-reload; ./timonier down; ./timonier up | tail -1; echo "the server's process: $before before, $(pgrep -f 'httpd -f -v' | head -1) after"; kubectl get pods
step sctp; modprobe sctp; kubectl create service clusterip sc --tcp=9:9; kubectl patch svc sc --type=json -p '[{"op":"replace","path":"/spec/ports/0/protocol","value":"SCTP"},{"op":"replace","path":"/spec/selector","value":{"app":"web"}}]'; sleep 3; echo "rules with sctp: $(nft list ruleset | grep -c sctp)"
step write; for i in $(seq 20); do kubectl create configmap "c$i" --from-literal=a="$i" >/dev/null && echo -n "c$i "; done; echo
