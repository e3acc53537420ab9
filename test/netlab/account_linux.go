package netlab

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// accountDir is the folder of the ServiceAccount in a Pod.
const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// MountAccount provides the ServiceAccount as in a container, waits until it may list what
// a DNS server lists, and returns the environment with the API server's address.
func MountAccount(t *testing.T, c *controlplane.Cluster, namespace, name string) (env []string) {
	t.Helper()
	account, err := c.ServiceAccount(t.Context(), namespace, name)
	if err != nil {
		t.Fatal(err)
	}
	awaitRights(t, c, account)
	if err := writeAccount(c.CAFile(), namespace, account.Token); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(c.URL())
	if err != nil {
		t.Fatal(err)
	}
	return []string{"KUBERNETES_SERVICE_HOST=" + u.Hostname(), "KUBERNETES_SERVICE_PORT=" + u.Port()}
}

// awaitRights waits until the role takes effect, so that the server under test has no
// reason to complain.
func awaitRights(t *testing.T, c *controlplane.Cluster, account controlplane.Credential) {
	t.Helper()
	client, err := kubernetes.NewForConfig(c.RESTConfigFor(account))
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, func(ctx context.Context) error {
		_, err := client.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{Limit: 1})
		return err
	})
}

func writeAccount(caFile, namespace, token string) error {
	authority, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(accountDir, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"ca.crt":    authority,
		"namespace": []byte(namespace),
		"token":     []byte(token),
	} {
		if err := os.WriteFile(filepath.Join(accountDir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
