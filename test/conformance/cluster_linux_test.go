package conformance

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

const (
	roleManifest   = "../../deploy/kubernetes/rbac.yaml"
	objectManifest = "testdata/ci-fixtures-bare-apiserver.yaml"
	newManifest    = "testdata/ci-fixtures-newobjects.yaml"

	// accountDir is where a Pod finds its ServiceAccount.
	accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

	// The suite's one Corefile with a kubeconfig names these two.
	kubeconfigPath    = "/home/circleci/.kube/kind-config-kind"
	kubeconfigContext = "kind-kind"

	// patience is how long anything may take that is to happen soon. It is for
	// busy machines.
	patience = 30 * time.Second
)

// cluster is the API server with the objects that the suite is about.
type cluster struct {
	*controlplane.Cluster
	account controlplane.Credential // the server's own
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{Cluster: controlplane.StartTest(t, controlplane.Options{})}
	c.apply(t, roleManifest)
	c.apply(t, objectManifest)
	var err error
	if c.account, err = c.ServiceAccount(t.Context(), "kube-system", "coredns"); err != nil {
		t.Fatal(err)
	}
	c.awaitRights(t)
	c.mountAccount(t)
	return c
}

func (c *cluster) apply(t *testing.T, path string) {
	t.Helper()
	manifest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), manifest); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// awaitRights waits until the API server has learned of the role, so that the
// server under test has no reason to complain.
func (c *cluster) awaitRights(t *testing.T) {
	t.Helper()
	client, err := kubernetes.NewForConfig(c.RESTConfigFor(c.account))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func(ctx context.Context) error {
		_, err := client.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{Limit: 1})
		return err
	})
}

// mountAccount writes the files of the ServiceAccount that every container has.
func (c *cluster) mountAccount(t *testing.T) {
	t.Helper()
	authority, err := os.ReadFile(c.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(accountDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"ca.crt":    authority,
		"namespace": []byte("kube-system"),
		"token":     []byte(c.account.Token),
	} {
		if err := os.WriteFile(filepath.Join(accountDir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// inClusterEnv is how a container learns of the API server's address.
func (c *cluster) inClusterEnv(t *testing.T) []string {
	t.Helper()
	u, err := url.Parse(c.URL())
	if err != nil {
		t.Fatal(err)
	}
	return []string{"KUBERNETES_SERVICE_HOST=" + u.Hostname(), "KUBERNETES_SERVICE_PORT=" + u.Port()}
}

// writeKubeconfig makes a kubeconfig that is of use only to whoever takes the
// context by its name: the current one leads nowhere.
func (c *cluster) writeKubeconfig(t *testing.T) (path string) {
	t.Helper()
	path, err := c.Kubeconfig(c.account)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config.Contexts[kubeconfigContext] = config.Contexts[config.CurrentContext]
	config.Clusters["nowhere"] = &clientcmdapi.Cluster{Server: "https://127.0.0.1:1"}
	config.Contexts["nowhere"] = &clientcmdapi.Context{Cluster: "nowhere"}
	config.CurrentContext = "nowhere"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// deleteNew takes back what newManifest makes.
func (c *cluster) deleteNew(t *testing.T) {
	t.Helper()
	const namespace = "test-1"
	options := metav1.DeleteOptions{}
	if err := c.Client().CoreV1().Services(namespace).Delete(t.Context(), "new-svc", options); err != nil {
		t.Error(err)
	}
	if err := c.Client().DiscoveryV1().EndpointSlices(namespace).Delete(t.Context(), "new-svc-ipv4", options); err != nil {
		t.Error(err)
	}
}

// eventually repeats the check until it succeeds, and ends the test if it does
// not in time.
func eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	var last error
	poll := func(ctx context.Context) (bool, error) {
		err := check(ctx)
		if ctx.Err() == nil { // else the check failed because time was up
			last = err
		}
		return err == nil, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, poll); err != nil {
		t.Fatalf("%v: %v", err, last)
	}
}
