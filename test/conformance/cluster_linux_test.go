package conformance

import (
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/netlab"
)

const (
	roleManifest   = "../../deploy/kubernetes/rbac.yaml"
	objectManifest = "testdata/ci-fixtures-bare-apiserver.yaml"
	newManifest    = "testdata/ci-fixtures-newobjects.yaml"

	// The server's own ServiceAccount.
	accountNamespace = "kube-system"
	accountName      = "coredns"

	// The suite's only Corefile with a kubeconfig has these two names.
	kubeconfigPath    = "/home/circleci/.kube/kind-config-kind"
	kubeconfigContext = "kind-kind"
)

// cluster is the API server with the objects of the suite.
type cluster struct {
	*controlplane.Cluster
	env []string // tells a server inside the API server's address
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{Cluster: controlplane.StartTest(t, controlplane.Options{})}
	c.apply(t, roleManifest)
	c.apply(t, objectManifest)
	c.env = netlab.MountAccount(t, c.Cluster, accountNamespace, accountName)
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

// writeKubeconfig makes a kubeconfig that works only with the context's name: the current
// context leads nowhere.
func (c *cluster) writeKubeconfig(t *testing.T) (path string) {
	t.Helper()
	account, err := c.ServiceAccount(t.Context(), accountNamespace, accountName)
	if err != nil {
		t.Fatal(err)
	}
	path, err = c.Kubeconfig(account)
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

// deleteNew deletes the objects of newManifest.
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
