package live

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// Another cluster takes the place of the first one, at the same address: with other
// resource versions, and with some objects gone and others new.
//
// Correctness is decided name by name. The old state is right until the server sees the new
// one; then the new state is right, and never the old one again.
func TestClusterReplaced(t *testing.T) {
	t.Parallel()
	c := startCluster(t, controlplane.Options{APIServerArgs: []string{noHTTP2}})
	t.Run("by a full one", func(t *testing.T) { replaceByFull(t, c) })
	t.Run("by one that fills", func(t *testing.T) { replaceByEmpty(t, c) })
	t.Run("by its backup", func(t *testing.T) { replaceByBackup(t, c) })
}

// replaced returns a server and a load on the state before the change.
func replaced(t *testing.T, c *cluster, w world) (*user, *load) {
	t.Helper()
	c.apply(t, w.before().objects())
	u := c.user(t, w.namespace)
	s := start(t, block(u.direct(t), "pods verified"))
	s.expect(t, w.before().answers())
	return u, s.load(t, w.before().answers())
}

// replaceEtcd turns the cluster into another one, which does not know the user. It waits
// until every request of the user has been refused: before that, the server does not know
// that the cluster is another one.
func replaceEtcd(t *testing.T, c *cluster, u *user) {
	t.Helper()
	if err := c.ReplaceEtcd(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, resource := range watched {
		u.awaitRefusals(t, resource, 1)
	}
}

// The server can read the new cluster only when it is complete. So a name that is in both
// must not be missing for a moment.
func replaceByFull(t *testing.T, c *cluster) {
	w := world{namespace: "full", octet: "70"}
	u, l := replaced(t, c, w)
	replaceEtcd(t, c, u)
	c.apply(t, w.after().objects())
	l.may(w.after().answers())
	c.apply(t, u.role(watched...))
	l.settle(t)
	l.finish(t)
}

// The server reads the new cluster while it is still empty, like a server that starts then.
// So names may be missing until they exist. The kinds of object become visible one after
// another: a name that is gone with its Namespace may return with it, and be gone for good
// with its Service.
func replaceByEmpty(t *testing.T, c *cluster) {
	w := world{namespace: "fills", octet: "80"}
	u, l := replaced(t, c, w)
	before := len(u.requests(t))
	replaceEtcd(t, c, u)
	l.may(w.after().absent())
	c.apply(t, u.role(watched...))
	l.settle(t)
	for _, next := range []answers{w.before().answers(), w.after().absent(), w.after().answers()} {
		l.may(next)
	}
	c.apply(t, w.after().objects())
	l.settle(t)
	l.finish(t)
	if got := u.requests(t)[before:]; !slices.Contains(got, "stream services") {
		t.Errorf("no list of the new cluster:\n%s", strings.Join(got, "\n"))
	}
}

// The cluster is restored from a backup, which is older: its versions are lower than those
// that the server has seen. Nothing in the backup may be missing.
func replaceByBackup(t *testing.T, c *cluster) {
	w := world{namespace: "backup", octet: "90"}
	c.apply(t, w.after().objects())
	u, way := c.user(t, w.namespace), c.link(t)
	c.saveEtcd(t)
	c.remove(t, "Service "+w.namespace+"/late")
	c.apply(t, w.before().objects())
	passTime(t, c)
	s := start(t, block(u.by(way), "pods verified"))
	s.expect(t, w.before().answers())
	l := s.load(t, w.before().answers())
	l.awaitQuestions(t, someSeconds)

	way.cut()
	c.restoreEtcd(t)
	l.may(w.after().answers())
	way.mend(t)
	l.settle(t)
	l.finish(t)
}

// passTime uses up versions.
func passTime(t *testing.T, c *cluster) {
	t.Helper()
	objects := c.Client().CoreV1().ConfigMaps(metav1.NamespaceDefault)
	for i := range 200 {
		name := metav1.ObjectMeta{Name: fmt.Sprintf("time-%d", i)}
		if _, err := objects.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: name}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// saveEtcd makes a backup of all objects.
func (c *cluster) saveEtcd(t *testing.T) {
	t.Helper()
	c.StopEtcd()
	if err := os.CopyFS(c.path("backup"), os.DirFS(c.path("etcd"))); err != nil {
		t.Fatal(err)
	}
	if err := c.RestartEtcd(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// restoreEtcd restarts the cluster with the objects of the backup.
func (c *cluster) restoreEtcd(t *testing.T) {
	t.Helper()
	c.KillAPIServer()
	c.StopEtcd()
	if err := os.RemoveAll(c.path("etcd")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(c.path("backup"), c.path("etcd")); err != nil {
		t.Fatal(err)
	}
	if err := c.RestartEtcd(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.restart(t)
}
