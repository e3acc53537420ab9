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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cluster is shared by the tests that need no options. Each of them leaves it running.
var cluster *controlplane.Cluster

// helperDir is an environment variable that makes the test binary start a cluster in the
// given folder, print its URL and wait until standard input ends.
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
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return 1
	}
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

// The test also shows that a data folder can be used again, and that the controllers
// survive a restart of the API server.
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
	if err := helper.Wait(); err == nil {
		t.Error("the helper was not killed")
	}
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
