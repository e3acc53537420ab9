package live

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// kinds is how many kinds of object a server watches by default: one less than with pods
// verified.
const kinds = 3

// watches returns how many kinds of object this process watches.
func watches() int {
	stacks := make([]byte, 1<<20)
	for {
		n := runtime.Stack(stacks, true)
		if n < len(stacks) {
			return strings.Count(string(stacks[:n]), "cache.(*Reflector).RunWithContext(")
		}
		stacks = make([]byte, 2*n)
	}
}

func wantWatches(t *testing.T, want int) {
	t.Helper()
	if n := watches(); n != want {
		t.Errorf("%d kinds of object are watched, want %d", n, want)
	}
}

// reloading is a server with a load, behind a link of its own.
type reloading struct {
	cluster *cluster
	user    *user
	way     *link
	source  string // lines of the Corefile
	world   world
	server  *server
	load    *load
}

func startReloading(t *testing.T, name, octet string) *reloading {
	t.Helper()
	r := &reloading{cluster: everybodys.start(t), world: world{namespace: name, octet: octet}}
	r.cluster.apply(t, r.world.before().objects())
	r.user, r.way = r.cluster.user(t, name), r.cluster.link(t)
	r.source = r.user.by(r.way)
	r.server = start(t, block(r.source, "pods insecure"))
	r.load = r.server.load(t, r.answers(r.world.before()))
	return r
}

// answers returns the answers with pods insecure, where any address has a name.
func (r *reloading) answers(w world) answers {
	all := w.answers()
	for question := range all {
		if strings.Contains(question, "-0-2."+w.namespace+".pod") {
			all[question] = "NOERROR 10." + w.octet + ".0.2"
		}
	}
	return all
}

// change shows that the server still follows the cluster, and ends the load.
func (r *reloading) change(t *testing.T) {
	t.Helper()
	r.load.may(r.answers(r.world.after()))
	r.world.change(t, r.cluster)
	r.load.settle(t)
	r.load.finish(t)
}

// A reload that does not change the watch makes no request to the API server, whatever else
// it changes.
func TestReloadKeepsWatch(t *testing.T) {
	r := startReloading(t, "keeps", "100")
	before := r.user.requests(t)
	r.server.mustReload(t, block(r.source, "pods insecure", "ttl 7"))
	if ttl := r.server.ttl(t, "A web.keeps.svc.cluster.local"); ttl != 7 {
		t.Errorf("TTL %d, want 7", ttl)
	}
	none := answers{"A 10-100-0-1.keeps.pod.cluster.local": noName, "A 10-100-0-2.keeps.pod.cluster.local": noName}
	r.load.may(none)
	r.server.mustReload(t, block(r.source, "pods disabled"))
	r.server.expect(t, none)
	r.load.may(r.answers(r.world.before()))
	for range 10 {
		r.server.mustReload(t, block(r.source, "pods insecure"))
		r.server.expect(t, r.answers(r.world.before()))
	}
	wantWatches(t, kinds)
	r.change(t)
	if more := r.user.requests(t)[len(before):]; len(more) > 0 {
		t.Errorf("requests after the start:\n%s", strings.Join(more, "\n"))
	}
	r.way.awaitConnections(t, 1)
}

// A reload that changes the watch starts a new one before it ends the old one.
func TestReloadChangesWatch(t *testing.T) {
	r := startReloading(t, "changes", "110")
	pod := "A 10-110-0-2.changes.pod.cluster.local"
	r.load.may(answers{pod: noName})
	r.server.mustReload(t, block(r.source, "pods verified"))
	r.server.expect(t, r.world.before().answers())
	wantWatches(t, kinds+1)
	r.way.awaitConnections(t, 1)
	r.load.may(answers{pod: "NOERROR 10.110.0.2"})
	r.server.mustReload(t, block(r.source, "pods insecure"))
	wantWatches(t, kinds)
	r.way.awaitConnections(t, 1)
	r.change(t)
}

// Server blocks with the same source share a watch, also across a reload.
func TestBlocksShareWatch(t *testing.T) {
	r := startReloading(t, "shares", "120")
	second := strings.ReplaceAll(block(r.source, "ttl 30"), ":0", ".second:0")
	r.server.mustReload(t, block(r.source, "pods insecure")+strings.ReplaceAll(second, "cluster.local.second", "second.local"))
	r.server.expect(t, answers{"A web.shares.svc.second.local": "NOERROR 10.96.0.120"})
	wantWatches(t, kinds)
	r.server.mustReload(t, block(r.source, "pods insecure"))
	wantWatches(t, kinds)
	r.change(t)
}

// A reload that fails changes nothing and leaves nothing behind. Each of these would also
// start a new watch if it did not fail.
func TestReloadFails(t *testing.T) {
	r := startReloading(t, "fails", "130")
	verified := block(r.source, "pods verified")
	for _, tc := range []struct{ title, corefile, want string }{
		{"parse", verified + other("nonsense"), "unknown property 'nonsense'"},
		{"manifest", verified + other("manifests "+badManifest(t)), "expected a Kubernetes object"},
		{"no manifest", verified + other("manifests /nonexistent"), "does not exist"},
		{"no kubeconfig", verified + other("kubeconfig /nonexistent"), "no such file"},
		{"port", verified + strings.ReplaceAll(other("manifests "+goodManifest(t)), ":0", ":"+takenPort(t)), "address already in use"},
	} {
		t.Run(tc.title, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			err := r.server.reload(tc.corefile)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("reload: %v, want %s", err, tc.want)
			}
			wantWatches(t, kinds)
			eventually(t, func() error { return goleak.Find(before) })
			r.way.awaitConnections(t, 1)
			r.server.expect(t, r.answers(r.world.before()))
		})
	}
	r.change(t)
}

// other returns a server block for another zone.
func other(line string) string {
	return fmt.Sprintf("other.test:0 {\n bind 127.0.0.1\n kubernetes {\n  %s\n }\n}\n", line)
}

func badManifest(t *testing.T) string { return writeManifest(t, "- nothing") }
func goodManifest(t *testing.T) string {
	return writeManifest(t, "{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
}

func writeManifest(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// takenPort returns a port that another socket listens on.
func takenPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// D2: while the API server is away, a reload that does not change the watch keeps the data,
// and a reload that needs other data fails.
func TestD2ReloadWithoutAPIServer(t *testing.T) {
	r := startReloading(t, "lonely", "140")
	r.way.cut()
	r.server.mustReload(t, block(r.source, "pods insecure", "ttl 8"))
	r.server.expect(t, r.answers(r.world.before()))
	err := r.server.reload(block(r.source, "pods verified", "startup_timeout 1s"))
	if err == nil || !strings.Contains(err.Error(), "the previous configuration keeps serving") {
		t.Errorf("reload: %v, want that the previous configuration keeps serving", err)
	}
	r.server.expect(t, r.answers(r.world.before()))
	wantWatches(t, kinds)
	r.way.mend(t)
	r.change(t)
}

// The end of a server ends everything that it started.
func TestShutdownLeavesNothing(t *testing.T) {
	u := everybodys.start(t).user(t, "leaves")
	for title, last := range map[string]func(*link){
		"connected":              func(*link) {},
		"without its API server": (*link).cut,
	} {
		t.Run(title, func(t *testing.T) {
			way := u.cluster.link(t)
			before := goleak.IgnoreCurrent()
			s := start(t, block(u.by(way), "pods verified"))
			s.mustReload(t, block(u.by(way), "pods insecure"))
			if err := s.reload(block(u.by(way), "nonsense")); err == nil {
				t.Error("a reload with nonsense")
			}
			way.awaitConnections(t, 1)
			last(way)
			s.Stop()
			eventually(t, func() error { return goleak.Find(before) })
			wantWatches(t, 0)
			way.awaitConnections(t, 0)
		})
	}
}
