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
step sctp; modprobe sctp
kubectl run server --image=127.0.0.1:5000/net:1 --labels=app=server -- serve tcp:80 sctp:82; kubectl run client --image=127.0.0.1:5000/net:1 --labels=app=client -- serve tcp:80; kubectl run other --image=127.0.0.1:5000/net:1 --labels=app=other -- serve tcp:80
kubectl wait --for=condition=Ready pod/server pod/client pod/other --timeout=120s
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: sctp}
spec: {selector: {app: server}, ports: [{port: 9, targetPort: 82, protocol: SCTP}]}
YAML
sleep 2; ask() { echo "$1 asks $2: $(kubectl exec "$1" -- net ask sctp "$2" "$3" 1)"; }
pod=$(kubectl get pod server -o jsonpath='{.status.podIP}')
ask client "$pod" 82; ask client sctp 9; ask other sctp 9
kubectl apply -f - <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: sctp}
spec: {podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 82, protocol: SCTP}]}]}
YAML
sleep 2; echo "with a policy:"; ask client "$pod" 82; ask client sctp 9; ask other sctp 9; echo "over TCP: $(kubectl exec client -- net ask tcp "$pod" 80 1)"
step write; for i in $(seq 20); do kubectl create configmap "c$i" --from-literal=a="$i" >/dev/null && echo -n "c$i "; done; echo
