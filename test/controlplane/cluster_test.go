package controlplane_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// cluster is shared by the tests that need no options: each leaves it running.
var cluster *controlplane.Cluster

// helperDir in the environment makes the test binary start a cluster in that
// folder, print its URL and wait until standard input ends.
const helperDir = "CLUSTERDNS_TEST_HELPER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		os.Exit(help(dir))
	}
	os.Exit(run(m))
}

func help(dir string) int {
	c, err := controlplane.Start(context.Background(), controlplane.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer c.Stop()
	fmt.Println(c.URL())
	io.Copy(io.Discard, os.Stdin)
	return 0
}

func run(m *testing.M) int {
	c, err := controlplane.Start(context.Background(), controlplane.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer c.Stop()
	cluster = c
	return m.Run()
}

func TestDualStackServiceGetsTwoClusterIPs(t *testing.T) {
	apply(t, cluster, `
apiVersion: v1
kind: Service
metadata: {name: dual-stack}
spec:
  ipFamilyPolicy: RequireDualStack
  ports: [{port: 80}]
`)
	service := service(t, cluster, "dual-stack")
	if len(service.Spec.ClusterIPs) != 2 {
		t.Fatalf("ClusterIPs = %v, want two", service.Spec.ClusterIPs)
	}
	for i, cidr := range []string{controlplane.ServiceCIDRv4, controlplane.ServiceCIDRv6} {
		if !netip.MustParsePrefix(cidr).Contains(netip.MustParseAddr(service.Spec.ClusterIPs[i])) {
			t.Errorf("ClusterIPs[%d] = %s, want one of %s", i, service.Spec.ClusterIPs[i], cidr)
		}
	}
}

func TestObjectsSurviveTheAPIServer(t *testing.T) {
	apply(t, cluster, serviceNamed("survivor"))
	before := service(t, cluster, "survivor")

	cluster.KillAPIServer()
	if _, err := cluster.Client().Discovery().ServerVersion(); err == nil {
		t.Error("a killed API server answers")
	}
	restartAPIServer(t)
	if after := service(t, cluster, "survivor"); after.UID != before.UID {
		t.Errorf("after a crash the UID is %s, want %s", after.UID, before.UID)
	}

}

func TestStoppedAPIServerClosesWatches(t *testing.T) {
	watcher, err := cluster.Client().CoreV1().Services("").Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	if err := cluster.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	for range watcher.ResultChan() { // until the API server ends the watch
	}
	restartAPIServer(t)
}

func TestObjectsSurviveEtcd(t *testing.T) {
	apply(t, cluster, serviceNamed("survivor-of-etcd"))
	cluster.StopEtcd()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := cluster.Apply(ctx, []byte(serviceNamed("lost"))); err == nil {
		t.Error("the API server wrote an object without etcd")
	}
	if err := cluster.RestartEtcd(t.Context()); err != nil {
		t.Fatal(err)
	}
	service(t, cluster, "survivor-of-etcd")
}

func TestReplacedEtcdIsEmpty(t *testing.T) {
	apply(t, cluster, serviceNamed("replaced"))
	url := cluster.URL()
	if err := cluster.ReplaceEtcd(t.Context()); err != nil {
		t.Fatal(err)
	}
	if cluster.URL() != url {
		t.Errorf("URL = %s, want %s as before", cluster.URL(), url)
	}
	_, err := cluster.Client().CoreV1().Services("default").Get(t.Context(), "replaced", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("object of the replaced cluster: got error %v, want not found", err)
	}
	apply(t, cluster, serviceNamed("replaced"))
}

func TestWatchFromCompactedVersionIsGone(t *testing.T) {
	version := resourceVersion(t, cluster)
	apply(t, cluster, serviceNamed("compacted"))
	if err := cluster.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	restartAPIServer(t)
	wantGone(t, cluster, version)
}

func TestUncachedWatchIsGoneAfterCompaction(t *testing.T) {
	c := controlplane.StartTest(t, controlplane.Options{DisableWatchCache: true})
	for range 2 { // the second time nothing has happened in between
		version := resourceVersion(t, c)
		if err := c.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantGone(t, c, version)
	}
}

func TestStreamingLists(t *testing.T) {
	if err := streamingList(t, cluster); err != nil {
		t.Errorf("with default options: %v", err)
	}
	c := controlplane.StartTest(t, controlplane.Options{DisableStreamingLists: true})
	if err := streamingList(t, c); !apierrors.IsInvalid(err) {
		t.Errorf("with DisableStreamingLists: got error %v, want invalid", err)
	}
}

const selectingServices = `
apiVersion: v1
kind: Node
metadata: {name: node-1}
---
apiVersion: v1
kind: Service
metadata: {name: early}
spec: {selector: {app: web}, ports: [{port: 80}]}
`

// The test also shows that a data folder can be used again, and that the
// controllers survive the API server.
func TestControllersMakeEndpointSlices(t *testing.T) {
	dir := t.TempDir()
	first, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(first.Stop)
	apply(t, first, selectingServices+"---"+runningPod)
	first.Stop()

	second := controlplane.StartTest(t, controlplane.Options{Dir: dir, Controllers: []string{"endpointslice"}})
	wantEndpoint(t, second, "early", "10.244.0.7")
	if err := second.RestartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	apply(t, second, strings.ReplaceAll(selectingServices, "early", "late"))
	wantEndpoint(t, second, "late", "10.244.0.7")
}

func TestProcessesEndWithTheirParent(t *testing.T) {
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperDir+"="+t.TempDir())
	helper.Stderr = os.Stderr
	if _, err := helper.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	helper.Process.Kill()
	helper.Wait()
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(strings.TrimSpace(line), "https://")
	eventually(t, func(context.Context) error {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return nil
		}
		connection.Close()
		return fmt.Errorf("%s still listens", address)
	})
}

func serviceNamed(name string) string {
	return "{apiVersion: v1, kind: Service, metadata: {name: " + name + "}, spec: {ports: [{port: 80}]}}"
}

func apply(t *testing.T, c *controlplane.Cluster, manifest string) {
	t.Helper()
	if err := c.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
}

func restartAPIServer(t *testing.T) {
	t.Helper()
	if err := cluster.RestartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func service(t *testing.T, c *controlplane.Cluster, name string) *corev1.Service {
	t.Helper()
	service, err := c.Client().CoreV1().Services("default").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// resourceVersion is the version of the list of Services.
func resourceVersion(t *testing.T, c *controlplane.Cluster) string {
	t.Helper()
	list, err := c.Client().CoreV1().Services("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.ResourceVersion
}

// wantGone watches Services from the version. The API server may refuse the
// watch or end it with an error.
func wantGone(t *testing.T, c *controlplane.Cluster, version string) {
	t.Helper()
	_, err := firstEvent(t, c.Client(), metav1.ListOptions{ResourceVersion: version})
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("watch from compacted version %s: got error %v, want 410 Gone", version, err)
	}
}

// streamingList asks for the Services as the first events of a watch.
func streamingList(t *testing.T, c *controlplane.Cluster) error {
	t.Helper()
	yes := true
	event, err := firstEvent(t, c.Client(), metav1.ListOptions{
		SendInitialEvents:    &yes,
		AllowWatchBookmarks:  true,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	if err == nil && event.Type != watch.Added {
		return fmt.Errorf("first event is %s, want %s", event.Type, watch.Added)
	}
	return err
}

// firstEvent of a watch; an error event counts as an error.
func firstEvent(t *testing.T, client kubernetes.Interface, options metav1.ListOptions) (watch.Event, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	watcher, err := client.CoreV1().Services("").Watch(ctx, options)
	if err != nil {
		return watch.Event{}, err
	}
	defer watcher.Stop()
	event, open := <-watcher.ResultChan()
	if !open {
		return event, fmt.Errorf("watch ended without an event: %w", context.Cause(ctx))
	}
	if event.Type == watch.Error {
		return event, apierrors.FromObject(event.Object)
	}
	return event, nil
}

// wantEndpoint waits for the only endpoint of a Service.
func wantEndpoint(t *testing.T, c *controlplane.Cluster, service, address string) {
	t.Helper()
	slices := c.Client().DiscoveryV1().EndpointSlices("default")
	selector := metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + service}
	eventually(t, func(ctx context.Context) error {
		list, err := slices.List(ctx, selector)
		if err != nil {
			return err
		}
		if len(list.Items) != 1 || len(list.Items[0].Endpoints) != 1 {
			return fmt.Errorf("EndpointSlices of %s: %v, want one endpoint", service, list.Items)
		}
		if got := list.Items[0].Endpoints[0].Addresses[0]; got != address {
			return fmt.Errorf("endpoint %s, want %s", got, address)
		}
		return nil
	})
}

// eventually fails the test when the check does not succeed in time.
func eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	var last error
	poll := func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, poll); err != nil {
		t.Fatalf("%v: %v", err, last)
	}
}
