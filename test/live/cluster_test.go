package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// cluster is a control plane with an audit log of requests.
type cluster struct {
	*controlplane.Cluster
	dir     string
	dynamic dynamic.Interface
}

// auditors is the group of the users whose requests are in the audit log.
const auditors = "live"

const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted, Panic]
rules:
- {level: Metadata, userGroups: [` + auditors + `]}
- {level: None}
`

// everybodys is the cluster of all tests that need none of their own.
var everybodys shared

type shared struct {
	once    sync.Once
	cluster *cluster
	err     error
}

func (s *shared) start(t *testing.T) *cluster {
	t.Helper()
	s.once.Do(func() { s.cluster, s.err = newSharedCluster() })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.cluster
}

// newSharedCluster starts a cluster that outlives the first test that needs it.
func newSharedCluster() (*cluster, error) {
	dir, err := os.MkdirTemp("", "clusterdns-live-")
	if err != nil {
		return nil, err
	}
	return newCluster(context.Background(), dir, controlplane.Options{})
}

func (s *shared) stop() {
	if s.cluster != nil {
		s.cluster.Stop()
		os.RemoveAll(s.cluster.dir)
	}
}

// startCluster starts a cluster for one test.
func startCluster(t *testing.T, options controlplane.Options) *cluster {
	t.Helper()
	c, err := newCluster(t.Context(), t.TempDir(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

func newCluster(ctx context.Context, dir string, options controlplane.Options) (*cluster, error) {
	c := &cluster{dir: dir}
	if err := os.WriteFile(c.path("policy.yaml"), []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	options.Dir = dir
	options.APIServerArgs = append(options.APIServerArgs,
		"--audit-policy-file="+c.path("policy.yaml"), "--audit-log-path="+c.path("audit.log"))
	var err error
	if c.Cluster, err = controlplane.Start(ctx, options); err != nil {
		return nil, err
	}
	c.dynamic, err = dynamic.NewForConfig(c.RESTConfig())
	return c, err
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) apply(t *testing.T, manifests ...string) {
	t.Helper()
	if err := c.Apply(t.Context(), []byte(strings.Join(manifests, "\n---\n"))); err != nil {
		t.Fatal(err)
	}
}

// restart starts the API server again. If it runs, it is killed first.
func (c *cluster) restart(t *testing.T) {
	t.Helper()
	if err := c.RestartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// resources are the resources that tests delete.
var resources = map[string]schema.GroupVersionResource{
	"Service":            {Version: "v1", Resource: "services"},
	"Pod":                {Version: "v1", Resource: "pods"},
	"EndpointSlice":      {Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
	"ClusterRoleBinding": {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
}

// remove deletes an object such as "Service live/web". It does not wait for a kubelet to
// end a Pod, because there is none.
func (c *cluster) remove(t *testing.T, object string) {
	t.Helper()
	kind, key, _ := strings.Cut(object, " ")
	if kind == "Namespace" {
		c.removeNamespace(t, key)
		return
	}
	namespace, name, _ := strings.Cut(key, "/")
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	if err := c.dynamic.Resource(resources[kind]).Namespace(namespace).Delete(t.Context(), name, now); err != nil {
		t.Fatal(err)
	}
}

// removeNamespace finalizes a deleted Namespace, in place of the namespace controller. The
// objects in it stay, because there is no controller.
func (c *cluster) removeNamespace(t *testing.T, name string) {
	t.Helper()
	namespaces := c.Client().CoreV1().Namespaces()
	err := namespaces.Delete(t.Context(), name, metav1.DeleteOptions{})
	if err == nil {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		_, err = namespaces.Finalize(t.Context(), ns, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := namespaces.Get(t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(fmt.Errorf("Namespace %s is still there", name), err)
	})
}
