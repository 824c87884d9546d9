// What client-go does against a running cluster: protobuf, informers with WatchList, apply, exec, leader election. One line for each thing that holds.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/remotecommand"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	image, ctx := os.Args[1], context.Background()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must(err)
	typed := *config
	typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	typed.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(&typed)
	must(err)
	const ns = "golang"
	_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{})
	must(err)
	fmt.Println("create")

	running, gone := make(chan string, 16), make(chan string, 16)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(ns))
	informer := factory.Core().V1().Pods().Informer()
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(_, now any) {
			if pod := now.(*corev1.Pod); pod.Status.Phase == corev1.PodRunning {
				select {
				case running <- pod.Name:
				default:
				}
			}
		},
		DeleteFunc: func(any) { gone <- "" },
	})
	must(err)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	replicas, zero, labels := int32(1), int64(0), map[string]string{"app": "go"}
	_, err = client.AppsV1().Deployments(ns).Create(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "go"}, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{TerminationGracePeriodSeconds: &zero, Containers: []corev1.Container{{Name: "c", Image: image}}}},
	}}, metav1.CreateOptions{})
	must(err)
	pod := ""
	select {
	case pod = <-running:
	case <-time.After(2 * time.Minute):
		panic("no running pod was seen")
	}
	fmt.Println("informer")

	scale, err := client.AppsV1().Deployments(ns).GetScale(ctx, "go", metav1.GetOptions{})
	must(err)
	scale.Spec.Replicas = 2
	_, err = client.AppsV1().Deployments(ns).UpdateScale(ctx, "go", scale, metav1.UpdateOptions{})
	must(err)
	_, err = client.AppsV1().Deployments(ns).Patch(ctx, "go", types.StrategicMergePatchType, []byte(`{"metadata":{"labels":{"by":"go"}}}`), metav1.PatchOptions{})
	must(err)
	_, err = client.CoreV1().ConfigMaps(ns).Apply(ctx, applycore.ConfigMap("applied", ns).WithData(map[string]string{"a": "b"}), metav1.ApplyOptions{FieldManager: "go"})
	must(err)
	_, err = client.CoreV1().ConfigMaps(ns).Apply(ctx, applycore.ConfigMap("applied", ns).WithData(map[string]string{"a": "c"}), metav1.ApplyOptions{FieldManager: "other"})
	if !apierrors.IsConflict(err) {
		panic(fmt.Sprint("not a conflict: ", err))
	}
	fmt.Println("patch")

	request := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(ns).Name(pod).SubResource("exec").VersionedParams(&corev1.PodExecOptions{Command: []string{"sh", "-c", "echo to out; cat; exit 3"}, Stdin: true, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	for _, how := range []string{"websocket", "spdy"} {
		var executor remotecommand.Executor
		if how == "websocket" {
			executor, err = remotecommand.NewWebSocketExecutor(config, "GET", request.URL().String())
		} else {
			executor, err = remotecommand.NewSPDYExecutor(config, "POST", request.URL())
		}
		must(err)
		var out, problems bytes.Buffer
		err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: strings.NewReader("typed\n"), Stdout: &out, Stderr: &problems})
		if out.String() != "to out\ntyped\n" || err == nil || !strings.Contains(err.Error(), "exit code 3") {
			panic(fmt.Sprintf("%s: %q %v", how, out.String(), err))
		}
	}
	fmt.Println("exec")

	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, ns, "leader", client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: "one"})
	must(err)
	led, stop := context.WithCancel(ctx)
	leaderelection.RunOrDie(led, leaderelection.LeaderElectionConfig{Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: time.Second, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { time.Sleep(1500 * time.Millisecond); stop() }, OnStoppedLeading: func() {}}})
	lease, err := client.CoordinationV1().Leases(ns).Get(ctx, "leader", metav1.GetOptions{})
	must(err)
	if lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" {
		panic("the lease was not released: " + *lease.Spec.HolderIdentity)
	}
	fmt.Println("leader election")

	must(client.AppsV1().Deployments(ns).Delete(ctx, "go", metav1.DeleteOptions{}))
	select {
	case <-gone:
	case <-time.After(time.Minute):
		panic("the pod's end was not seen")
	}
	must(client.CoreV1().Namespaces().Delete(ctx, ns, metav1.DeleteOptions{}))
	fmt.Println("delete")
}
