package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/test/kit/leak"
)

const web = "web.shop.svc.cluster.local."

// files is a folder of manifests with a Watcher that has read them. The test triggers each
// look.
type files struct {
	t        *testing.T
	folder   string
	log      *kubetest.Recorder
	failures int
	clock    *clocktesting.FakeClock
	watcher  *Watcher
}

// serve starts a Watcher with the given files.
func serve(t *testing.T, cfg Config, contents map[string]string) *files {
	t.Helper()
	f := &files{t: t, folder: t.TempDir(), log: new(kubetest.Recorder), clock: clocktesting.NewFakeClock(time.Now().Add(time.Hour))}
	kubetest.Write(t, f.folder, contents)
	if cfg.Manifests == "" {
		cfg.Manifests = f.folder
	}
	w, err := New(cfg, Options{Log: f.log, ManifestError: func() { f.failures++ }, clock: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	f.watcher = w
	return f
}

// look makes the Watcher look at the files once.
func (f *files) look() {
	f.t.Helper()
	m := f.watcher.source.(*manifests)
	if all, ok := m.follower.Look(f.t.Context()); ok {
		f.watcher.writer.apply(m.change(all))
	}
}

// settle makes the Watcher look until it has seen that the files no longer change.
func (f *files) settle() {
	f.t.Helper()
	f.look()
	f.look()
}

func (f *files) expect(name string, qtype uint16, want string) {
	f.t.Helper()
	if got := ask(f.t, f.watcher.Store(), name, qtype); got != want {
		f.t.Errorf("%s %d: %s, want %s", name, qtype, got, want)
	}
}

func (f *files) path(name string) string { return filepath.Join(f.folder, name) }

func TestManifestsAreSyncedAtOnce(t *testing.T) {
	f := serve(t, Config{Pods: true}, map[string]string{"all.yaml": kubetest.WebService + "---\n" + kubetest.WebSlice + "---\n" + kubetest.WebPod})
	select {
	case <-f.watcher.Synced():
	default:
		t.Error("not synced")
	}
	f.expect(web, typeA, "10.0.0.1")
	f.expect("_http._tcp."+web, typeSRV, "0 100 80 "+web)
	f.expect("10-1-0-1."+web, typeA, "10.1.0.1")
	f.expect("10-1-0-1.shop.pod.cluster.local.", typeA, "10.1.0.1")
	if lines := f.log.All(); len(lines) > 0 {
		t.Errorf("log: %q", lines)
	}
	start(t, f.watcher)
	eventually(t, "a timer", f.clock.HasWaiters)
	f.clock.Step(time.Second)
	if awaitCheckpoint(t, f.watcher).Counts().Services != 1 {
		t.Error("nothing in the checkpoint")
	}
}

func TestManifestForms(t *testing.T) {
	items := func(texts ...string) string {
		var list strings.Builder
		for _, text := range texts {
			list.WriteString("- " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n")
		}
		return list.String()
	}
	for name, contents := range map[string]map[string]string{
		"documents":              {"a.yaml": "# first\n---\n---\n" + kubetest.WebService + "---\n" + kubetest.WebSlice + "---\n# the end\n"},
		"files":                  {"a.yaml": kubetest.WebService, "b.yml": kubetest.WebSlice},
		"a list, as kubectl get": {"a.yaml": "apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ''}\nitems:\n" + items(kubetest.WebService, kubetest.WebSlice)},
		"typed lists": {
			"a.yaml": "apiVersion: v1\nkind: ServiceList\nitems:\n" + items(strings.TrimPrefix(kubetest.WebService, "apiVersion: v1\nkind: Service\n")),
			"b.yaml": "apiVersion: discovery.k8s.io/v1\nkind: EndpointSliceList\nitems:\n" + items(strings.TrimPrefix(kubetest.WebSlice, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n")),
		},
		"a list in a list": {"a.yaml": "apiVersion: v1\nkind: List\nitems:\n" + items(kubetest.WebSlice, "apiVersion: v1\nkind: List\nitems:\n"+items(kubetest.WebService))},
		"an empty list":    {"a.yaml": kubetest.WebService, "b.yaml": kubetest.WebSlice, "c.yaml": "apiVersion: v1\nkind: List\nitems: []\n", "d.yaml": "apiVersion: v1\nkind: List\nitems:\n"},
		"JSON": {"a.json": `{"apiVersion": "v1", "kind": "List", "items": [
			{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"clusterIP": "10.0.0.1", "ports": [{"name": "http", "port": 80}]}},
			{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}}, "addressType": "IPv4", "endpoints": [{"addresses": ["10.1.0.1"]}]}
		]}`},
		"anchors":    {"a.yaml": strings.Replace(kubetest.WebService, "namespace: shop", "namespace: &ns shop\n  labels: {ns: *ns}", 1) + "---\n" + kubetest.WebSlice},
		"Windows":    {"a.yaml": strings.ReplaceAll(kubetest.WebService+"---\n"+kubetest.WebSlice, "\n", "\r\n")},
		"time stamp": {"a.yaml": strings.Replace(kubetest.WebService, "name: web\n", "name: web\n  creationTimestamp: 2026-01-01T00:00:00Z\n", 1), "b.yaml": kubetest.WebSlice},
		"files that do not count": {
			"a.yaml": kubetest.WebService, "b.yaml": kubetest.WebSlice,
			"README.md": "# no YAML: [", ".hidden.yaml": "[", "below/c.yaml": "[", "d.yaml.bak": "[", "folder.yaml/e.yaml": "[",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, Config{}, contents)
			f.expect(web, typeA, "10.0.0.1")
			f.expect("10-1-0-1."+web, typeA, "10.1.0.1")
			if lines := f.log.All(); len(lines) > 0 {
				t.Errorf("log: %q", lines)
			}
		})
	}
}

func TestManifestPaths(t *testing.T) {
	folder := t.TempDir()
	kubetest.Write(t, folder, map[string]string{"one/a.yaml": kubetest.WebService, "two.txt": kubetest.WebSlice})
	f := serve(t, Config{Manifests: ManifestPaths(filepath.Join(folder, "one"), filepath.Join(folder, "two.txt"))}, nil)
	f.expect("10-1-0-1."+web, typeA, "10.1.0.1")
}

func TestManifestNamespaces(t *testing.T) {
	f := serve(t, Config{}, map[string]string{"a.yaml": kubetest.WebPod + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n---\n" +
		strings.Replace(kubetest.WebService, "  namespace: shop\n", "", 1)})
	f.expect("empty.svc.cluster.local.", typeA, noData)
	f.expect("web.default.svc.cluster.local.", typeA, "10.0.0.1")
	if n := f.watcher.Store().Load().Counts().Namespaces; n != 3 {
		t.Errorf("%d Namespaces: a Pod implies one, even if Pods are not asked for", n)
	}
}

func TestManifestsOfConfig(t *testing.T) {
	f := serve(t, Config{NoEndpoints: true}, map[string]string{"a.yaml": kubetest.WebService + "---\n" + kubetest.WebSlice + "---\n" + kubetest.WebPod})
	counts := f.watcher.Store().Load().Counts()
	if counts.Services != 1 || counts.Addresses != 1 || counts.PodAddresses != 0 {
		t.Errorf("%+v", counts)
	}
}

// The last good state stays until the Watcher can read a complete new one.
func TestManifestsReread(t *testing.T) {
	f := serve(t, Config{}, map[string]string{"a.yaml": kubetest.WebService})
	change := func(from, to string) string { return strings.Replace(kubetest.WebService, from, to, 1) }

	f.settle()
	before := f.watcher.Store().Load()
	kubetest.Write(t, f.folder, map[string]string{"a.yaml": change("10.0.0.1", "10.0.0.20")})
	f.look()
	f.expect(web, typeA, "10.0.0.1") // the file may be half written
	f.look()
	f.expect(web, typeA, "10.0.0.20")

	kubetest.Write(t, f.folder, map[string]string{"b.yaml": strings.ReplaceAll(kubetest.WebService, "web", "mail")})
	f.settle()
	f.expect("mail.shop.svc.cluster.local.", typeA, "10.0.0.1")
	f.expect(web, typeA, "10.0.0.20")

	if err := os.Remove(f.path("b.yaml")); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.expect("mail.shop.svc.cluster.local.", typeA, nxDomain)

	kubetest.Write(t, f.folder, map[string]string{"new": kubetest.WebService}) // atomically, same size as the first
	if err := os.Rename(f.path("new"), f.path("a.yaml")); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.expect(web, typeA, "10.0.0.1")
	if lines := f.log.All(); len(lines) > 0 || f.failures > 0 {
		t.Errorf("%d failures, log: %q", f.failures, lines)
	}
	if before.Counts() != f.watcher.Store().Load().Counts() {
		t.Error("not what it was in the beginning")
	}
}

// The Watcher finds a change that leaves size and modification time as they were, while the
// file is new.
func TestManifestChangedWithinOneTick(t *testing.T) {
	f := serve(t, Config{}, map[string]string{"a.yaml": kubetest.WebService})
	f.clock.SetTime(time.Now())
	info, err := os.Stat(f.path("a.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.watcher.source.(*manifests).load(); err != nil { // as if it had just started
		t.Fatal(err)
	}
	kubetest.Write(t, f.folder, map[string]string{"a.yaml": strings.Replace(kubetest.WebService, "10.0.0.1", "10.0.0.2", 1)})
	if err := os.Chtimes(f.path("a.yaml"), time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	f.look()
	f.expect(web, typeA, "10.0.0.2")
}

// Only differences are committed.
func TestManifestTouched(t *testing.T) {
	f := serve(t, Config{}, map[string]string{"a.yaml": kubetest.WebService})
	before := f.watcher.Store().Load()
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(f.path("a.yaml"), later, later); err != nil {
		t.Fatal(err)
	}
	f.settle()
	kubetest.Write(t, f.folder, map[string]string{"a.yaml": "# a comment\n" + kubetest.WebService})
	f.settle()
	if f.watcher.Store().Load() != before {
		t.Error("a commit without a change")
	}
}

// The kubelet mounts a ConfigMap like this: it replaces a link to a folder of links.
func TestManifestsOfConfigMap(t *testing.T) {
	folder := t.TempDir()
	kubetest.Write(t, folder, map[string]string{"..one/a.yaml": kubetest.WebService, "..two/a.yaml": strings.Replace(kubetest.WebService, "10.0.0.1", "10.0.0.2", 1)})
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..one", "..data")
	link("..data/a.yaml", "a.yaml")
	f := serve(t, Config{Manifests: folder}, nil)
	f.expect(web, typeA, "10.0.0.1")
	link("..two", "..tmp")
	if err := os.Rename(filepath.Join(folder, "..tmp"), filepath.Join(folder, "..data")); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.expect(web, typeA, "10.0.0.2")
}

// The Watcher looks at the files at every tick.
func TestManifestsRun(t *testing.T) {
	leak.None(t)
	f := serve(t, Config{}, map[string]string{"a.yaml": kubetest.WebService})
	stop := start(t, f.watcher)
	eventually(t, "the ticker", f.clock.HasWaiters)
	// The new file has another size, since the clock of the file system may not have
	// advanced.
	kubetest.Write(t, f.folder, map[string]string{"a.yaml": strings.Replace(kubetest.WebService, "10.0.0.1", "10.0.0.20", 1)})
	eventually(t, "the change", func() bool {
		f.clock.Step(time.Second)
		return ask(t, f.watcher.Store(), web, typeA) == "10.0.0.20"
	})
	stop()
}

// C11: what the Corefile does not ask for is not left out silently.
func TestC11ManifestsNotAskedFor(t *testing.T) {
	ingress := "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: web}\n"
	gateway := publish.Settings{Kinds: publish.Ingresses}
	for _, tc := range []struct {
		name, text string
		cfg        Config
		want       string // in the only line; empty if there is none
	}{
		{"Pods", kubetest.WebPod, Config{}, "Pods are read only with the property pods: Pod shop/web-0"},
		{"Pods that are asked for", kubetest.WebPod, Config{Pods: true}, ""},
		{"slices", kubetest.WebSlice, Config{NoEndpoints: true}, "without noendpoints"},
		{"Services for a gateway", kubetest.WebService, Config{PublishedOnly: true, Published: gateway}, "Services also by k8s_gateway with resources Service: Service shop/web"},
		{"Services of a gateway", kubetest.WebService, Config{PublishedOnly: true, Published: publish.Settings{Kinds: publish.Services}}, ""},
		{"an Ingress without a gateway", kubetest.WebService + "---\n" + ingress, Config{}, "networking.k8s.io/v1beta1 Ingress: write resources Ingress"},
		{"an old Ingress", kubetest.WebService + "---\n" + ingress, Config{Published: gateway}, "networking.k8s.io/v1beta1 Ingress: write networking.k8s.io/v1"},
	} {
		lines := serve(t, tc.cfg, map[string]string{"a.yaml": tc.text}).log.All()
		if tc.want == "" && len(lines) > 0 || tc.want != "" && (len(lines) != 1 || !strings.Contains(lines[0], tc.want)) {
			t.Errorf("%s: log %q", tc.name, lines)
		}
	}
}
