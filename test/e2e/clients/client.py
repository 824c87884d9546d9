"""What Debian's python3-kubernetes does against a running cluster; prints one line for each thing that holds."""
import sys
import time

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream

config.load_kube_config()
core, apps, custom = client.CoreV1Api(), client.AppsV1Api(), client.CustomObjectsApi()
image = sys.argv[1]
spaces = core.list_namespace()
assert "default" in [n.metadata.name for n in spaces.items]
print("list", flush=True)

core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="python")))
labels = {"app": "py"}
apps.create_namespaced_deployment("python", client.V1Deployment(
    metadata=client.V1ObjectMeta(name="py"),
    spec=client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels=labels), template=client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(termination_grace_period_seconds=0, containers=[client.V1Container(name="c", image=image)])))))
print("create", flush=True)

name = None
for event in watch.Watch().stream(core.list_namespaced_pod, "python", timeout_seconds=120):
    if event["object"].status.phase == "Running":
        name = event["object"].metadata.name
        break
assert name
print("watch", flush=True)

scaled = apps.patch_namespaced_deployment_scale("py", "python", {"spec": {"replicas": 2}})
assert scaled.spec.replicas == 2
apps.patch_namespaced_deployment("py", "python", [{"op": "add", "path": "/metadata/labels", "value": {"by": "json"}}])
assert apps.read_namespaced_deployment("py", "python").metadata.labels == {"by": "json"}
print("patch", flush=True)

try:
    core.create_namespaced_config_map("python", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="Not Allowed")))
    raise SystemExit("a bad name was taken")
except ApiException as error:
    assert error.status == 422, error
print("refusal", flush=True)

out = stream(core.connect_get_namespaced_pod_exec, name, "python", command=["sh", "-c", "echo to out; echo to err >&2; cat"], stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False)
out.write_stdin("typed\n")
text = ""
while out.is_open() and "typed" not in text:
    out.update(timeout=1)
    text += out.read_stdout() if out.peek_stdout() else ""
    text += out.read_stderr() if out.peek_stderr() else ""
out.close()
assert all(word in text for word in ("to out", "to err", "typed")), text
print("exec", flush=True)
assert "hello" in core.read_namespaced_pod_log(name, "python")
print("logs", flush=True)

while len(core.list_namespaced_pod("python").items) < 2:
    time.sleep(0.1)
first = core.list_namespaced_pod("python", limit=1)
rest = core.list_namespaced_pod("python", limit=1, _continue=first.metadata._continue)
assert first.items[0].metadata.name != rest.items[0].metadata.name
print("chunks", flush=True)
core.delete_namespace("python")
print("delete", flush=True)
