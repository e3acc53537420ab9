package watch

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/state"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

// shopName is a published name.
const shopName = "\x04shop\x07example\x03org\x00"

// withName returns a snapshot with one Service and a published name.
func withName(t *testing.T) *cluster.Snapshot {
	store := cluster.NewStore()
	clustertest.Commit(store, func(txn *cluster.Txn) {
		clustertest.Load(t, txn, "namespace shop\nclusterip shop/web 10.96.7.7 /tcp/80")
		txn.Publish(shopName, &cluster.Published{Alias: "old."})
		txn.SetSynced()
		txn.SetNamesSynced()
	})
	return store.Load()
}

// writeState writes a file with one Service and returns its path.
func writeState(t *testing.T, edit func(*state.Header)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state")
	h := state.Header{Cluster: "the other", Watched: nowhere.Watched(), Heard: time.Now().Add(-time.Minute).Unix(), Serial: 7}
	edit(&h)
	if err := state.Write(path, h, withName(t)); err != nil {
		t.Fatal(err)
	}
	return path
}

func asItIs(*state.Header) {}

// kept is a watcher with its keeper.
type kept struct {
	*keeper
	*kube.Watcher
	log *kubetest.Recorder
	use use
}

// mustKeep acquires a watcher for an instance, and keeps its state.
func mustKeep(t *testing.T, r *Registry, cfg kube.Config, path string, i *instance) *kept {
	t.Helper()
	k := &kept{log: new(kubetest.Recorder), use: use{i, ""}}
	var err error
	if k.Watcher, err = r.acquire(cfg, kube.Options{Log: k.log}, k.use); err != nil {
		t.Fatal(err)
	}
	if k.keeper, err = r.keep(cfg, State{Path: path, MaxAge: time.Hour}, k.log, k.use, func() {}); err != nil {
		t.Fatal(err)
	}
	return k
}

// keeping returns a registry whose keepers wait as long as a test wants.
func keeping(t *testing.T, grace, pause time.Duration) *Registry {
	t.TempDir() // all folders go when the keepers have ended, which write to them
	r := testRegistry(t)
	r.times = times{grace: grace, pause: pause, renew: time.Hour, end: time.Hour}
	return r
}

func (k *kept) snapshot() *cluster.Snapshot { return k.Store().Load() }

// awaitLog waits until there are so many lines with a text.
func (k *kept) awaitLog(t *testing.T, text string, count int) {
	t.Helper()
	await.True(t, time.Minute, text, func() bool { return len(k.log.With("state "+k.Path)) >= count && len(k.log.With(text)) > 0 })
}

func opened(t *testing.T, path string) (*state.File, *cluster.Snapshot) {
	t.Helper()
	f, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return f, s
}

// An API server that refuses connections is not waited for.
func TestRestoresWhereNobodyAnswers(t *testing.T) {
	r := keeping(t, time.Hour, time.Hour)
	i := new(instance)
	k := mustKeep(t, r, nowhere, writeState(t, asItIs), i)
	if err := r.waitForSync(k.Watcher, k.keeper, i, time.Minute, k.log); err != nil {
		t.Fatal(err)
	}
	s := k.snapshot()
	if !s.Synced() || s.RestoredAsOf() == 0 || s.Service(cluster.Key{Namespace: "shop", Name: "web"}) == nil {
		t.Errorf("synced %v, as of %d, %+v", s.Synced(), s.RestoredAsOf(), s.Counts())
	}
	k.awaitLog(t, "serving what was known 1m", 1)
	before := opening(t, k.Path)
	r.release(nowhere, k.use)
	if after := opening(t, k.Path); after != before {
		t.Error("the restored state was written back")
	}
}

func opening(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Published names are restored if the same ones were asked for; the rest of the cluster in any case.
func TestRestoresPublishedNames(t *testing.T) {
	publishes := nowhere
	publishes.Published = publish.Settings{Kinds: publish.Ingresses, Zones: "example.org.", Inside: true}
	for _, tc := range []struct {
		title, of string
		cfg       kube.Config
		names     bool
		lines     int
	}{
		{"the same", published(publishes.Published), publishes, true, 0},
		{"others", published(publish.Settings{Kinds: publish.Ingresses, Zones: "example.org."}), publishes, false, 1},
		{"none before", "", publishes, false, 1},
		{"none now", published(publishes.Published), nowhere, false, 0},
	} {
		t.Run(tc.title, func(t *testing.T) {
			r, i := keeping(t, time.Hour, time.Hour), new(instance)
			k := mustKeep(t, r, tc.cfg, writeState(t, func(h *state.Header) { h.Published = tc.of }), i)
			if err := r.waitForSync(k.Watcher, k.keeper, i, time.Minute, k.log); err != nil {
				t.Fatal(err)
			}
			k.awaitLog(t, "serving what was known 1m", 1+tc.lines)
			s := k.snapshot()
			if _, exists := s.Published(shopName); exists != tc.names || s.NamesSynced() != tc.names || s.Counts().Services != 1 {
				t.Errorf("the name exists: %v, synced %v, %+v", exists, s.NamesSynced(), s.Counts())
			}
			if n := len(k.log.With("it has not the names")); n != tc.lines {
				t.Errorf("%d lines about names", n)
			}
		})
	}
}

// An API server that takes requests and does not answer them is waited for as long as grace.
func TestRestoresAfterGrace(t *testing.T) {
	server := kubetest.Hanging(t, func(http.ResponseWriter) {})
	r := keeping(t, 10*time.Millisecond, time.Hour)
	i := new(instance)
	k := mustKeep(t, r, kube.Config{Endpoint: server.URL}, writeState(t, asItIs), i)
	if err := r.waitForSync(k.Watcher, k.keeper, i, time.Minute, k.log); err != nil || k.snapshot().RestoredAsOf() == 0 {
		t.Errorf("%v, restored as of %d", err, k.snapshot().RestoredAsOf())
	}
}

// A file that is not used has one line in the log, and the start goes on without it.
func TestFilesThatAreNotUsed(t *testing.T) {
	damage := func(path string, change func([]byte) []byte) string {
		if err := os.WriteFile(path, change([]byte(opening(t, path))), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tc := range []struct{ title, path, want string }{
		{"none", filepath.Join(t.TempDir(), "none"), "INFO state %: nothing has been kept there yet"},
		{"other objects", writeState(t, func(h *state.Header) { h.Watched = "more" }), "another Corefile has watched other objects"},
		{"old", writeState(t, func(h *state.Header) { h.Heard = time.Now().Add(-25 * time.Hour).Unix() }), "it is 25h0m"},
		{"cut", damage(writeState(t, asItIs), func(b []byte) []byte { return b[:len(b)-1] }), "it is damaged"},
		{"empty", damage(writeState(t, asItIs), func([]byte) []byte { return nil }), "it is damaged"},
		{"cut in its first line", damage(writeState(t, asItIs), func(b []byte) []byte { return b[:10] }), "it is damaged"},
		{"a later version", damage(writeState(t, asItIs), func(b []byte) []byte { return []byte(strings.Replace(string(b), "state 3", "state 4", 1)) }), `expected the first line "clusterdns state 3"`},
		{"200 MB", grown(t, 200<<20), "it has 209715200 bytes: expected 33554432 at most"},
		{"a pipe", pipe(t), "expected a regular file, found a pipe"},
		{"a link to nowhere", link(t, filepath.Join(t.TempDir(), "none")), "INFO state %: nothing has been kept there yet"},
		{"a link to an old state", link(t, writeState(t, func(h *state.Header) { h.Heard = 1 })), "expected 1h0m0s at most"},
		{"a link to itself", link(t, ""), "too many levels"},
		{"below a file", filepath.Join(writeState(t, asItIs), "state"), "not a directory"},
		{"version", damage(writeState(t, asItIs), func(b []byte) []byte { return []byte(strings.Replace(string(b), "state 3", "state 2", 1)) }), "another version of ClusterDNS"},
		{"folder", t.TempDir(), "expected a regular file, found a folder"},
	} {
		t.Run(tc.title, func(t *testing.T) {
			r := keeping(t, time.Hour, time.Hour)
			k := mustKeep(t, r, nowhere, tc.path, new(instance))
			k.awaitLog(t, strings.Replace(tc.want, "%", tc.path, 1), 1)
			r.release(nowhere, k.use)
			if lines := k.log.With("state " + tc.path); len(lines) != 1 || k.snapshot().Synced() {
				t.Errorf("synced %v, logged %q", k.snapshot().Synced(), lines)
			}
		})
	}
}

// grown returns a file of so many octets, which takes no room on the disk.
func grown(t *testing.T, size int64) string {
	t.Helper()
	path := writeState(t, asItIs)
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

func pipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// link returns a symbolic link to a path, or to itself.
func link(t *testing.T, to string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state")
	if to == "" {
		to = path
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// A state takes the place of a link, and leaves alone what the link led to.
func TestStateInThePlaceOfALink(t *testing.T) {
	r, cfg := keeping(t, time.Hour, time.Hour), manifest(t)
	other := writeState(t, asItIs)
	before := opening(t, other)
	k := mustKeep(t, r, cfg, link(t, other), new(instance))
	await.True(t, time.Minute, "a file", func() bool {
		about, err := os.Lstat(k.Path)
		return err == nil && about.Mode().IsRegular()
	})
	if opening(t, other) != before {
		t.Error("the file that the link led to was written")
	}
	k.log.Expect(t)
}

// What others have written is not lost to a path that is written wrongly, and one line says so.
func TestFilesOfOthersStay(t *testing.T) {
	r, cfg := keeping(t, time.Hour, time.Millisecond), manifest(t)
	for name, text := range map[string]string{"a file": "nameserver 192.0.2.1\n", "a short file": "x"} {
		path := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k := mustKeep(t, r, cfg, path, new(instance))
		k.awaitLog(t, "state "+path+": not kept: another program's file is there", 1)
		r.release(cfg, k.use)
		if opening(t, path) != text || len(k.log.All()) != 1 {
			t.Errorf("%s is %q, and %q was logged", name, opening(t, path), k.log.All())
		}
	}
}

// A damaged state, and one of another version, make room for a new one.
func TestDamagedStatesAreReplaced(t *testing.T) {
	r, cfg := keeping(t, time.Hour, time.Millisecond), manifest(t)
	for _, text := range []string{"", "cluster", "clusterdns state 3\nmore", strings.Repeat("\x00", 100)} {
		path := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k := mustKeep(t, r, cfg, path, new(instance))
		await.True(t, time.Minute, "a new file", func() bool { _, err := state.Open(path); return err == nil })
		r.release(cfg, k.use)
		k.log.Expect(t)
	}
}

// A file that two servers keep is whole at any moment, and is that of one of them.
func TestTwoServersWithOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	var ks []*kept
	for range 2 {
		r, cfg := keeping(t, time.Hour, 0), manifest(t)
		k := mustKeep(t, r, cfg, path, new(instance))
		ks = append(ks, k)
	}
	await.True(t, time.Minute, "a file", func() bool { _, err := os.Stat(path); return err == nil })
	for range 100 {
		for _, k := range ks {
			k.registry.mu.Lock()
			k.registry.wrote[path] = nil // the other has
			k.registry.mu.Unlock()
		}
		opened(t, path)
	}
	for _, k := range ks {
		k.log.Expect(t)
	}
}

// A clock that was set back since makes no file old.
func TestStateFromTheFuture(t *testing.T) {
	r := keeping(t, time.Hour, time.Hour)
	k := mustKeep(t, r, nowhere, writeState(t, func(h *state.Header) { h.Heard = time.Now().Add(time.Hour).Unix(); h.Serial = 4000000000 }), new(instance))
	k.awaitLog(t, "serving what was known at a time that the clock reaches in ", 1)
	if s := k.snapshot(); s.Serial() != 4000000001 {
		t.Errorf("the serial is %d, not higher than before", s.Serial())
	}
}

// In a reload the instance before has newer data.
func TestReloadRestoresNothing(t *testing.T) {
	r := keeping(t, time.Millisecond, time.Hour)
	mustAcquire(t, r, manifest(t), new(instance))
	i := new(instance)
	k := mustKeep(t, r, nowhere, writeState(t, asItIs), i)
	if err := r.waitForSync(k.Watcher, k.keeper, i, 200*time.Millisecond, k.log); err == nil || k.snapshot().Synced() {
		t.Errorf("%v, synced %v", err, k.snapshot().Synced())
	}
}

// addNamespace adds an object to manifests.
func addNamespace(t *testing.T, cfg kube.Config, name string) {
	t.Helper()
	text := opening(t, cfg.Manifests) + "\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: " + name + "}}"
	if err := os.WriteFile(cfg.Manifests, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The state is written once there is one, when it has changed, and at the end.
func TestStateIsKept(t *testing.T) {
	r, cfg := keeping(t, time.Hour, time.Millisecond), manifest(t)
	path := filepath.Join(t.TempDir(), "state")
	k := mustKeep(t, r, cfg, path, new(instance))
	holds := func(name string) func() bool {
		return func() bool {
			f, err := state.Open(path)
			if errors.Is(err, fs.ErrNotExist) {
				return false
			}
			if err != nil {
				t.Fatal(err)
			}
			s, err := f.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			return s.HasNamespace(name)
		}
	}
	await.True(t, time.Minute, "a file", holds("shop"))
	addNamespace(t, cfg, "late")
	await.True(t, time.Minute, "a newer file", holds("late"))
	if f, _ := opened(t, path); f.Header.Watched != cfg.Watched() {
		t.Errorf("%+v", f.Header)
	}

	r.times.pause = time.Hour // for the next keeper
	r.release(cfg, k.use)
	k = mustKeep(t, r, cfg, path, new(instance))
	addNamespace(t, cfg, "last")
	await.True(t, time.Minute, "the change", func() bool { return k.snapshot().HasNamespace("last") })
	r.release(cfg, k.use)
	if !holds("last")() {
		t.Error("the end was not written")
	}
	k.log.Expect(t)
}

// A file that cannot be written has one line in the log, and one when it can be.
func TestStateThatCannotBeKept(t *testing.T) {
	r, cfg := keeping(t, time.Hour, time.Millisecond), manifest(t)
	folder := filepath.Join(t.TempDir(), "none")
	k := mustKeep(t, r, cfg, filepath.Join(folder, "state"), new(instance))
	k.awaitLog(t, "not kept: cannot write in "+folder+": no such file or directory", 1)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	k.awaitLog(t, "kept again", 2)
	r.release(cfg, k.use)
	if lines := k.log.All(); len(lines) != 2 {
		t.Errorf("%q", lines)
	}
}

// A disk that does not answer holds up the end for a while only, and one line says so.
func TestEndWithoutTheDisk(t *testing.T) {
	r, cfg := keeping(t, time.Hour, time.Hour), manifest(t)
	r.times.end = time.Millisecond
	writes, answer := make(chan struct{}), make(chan struct{})
	r.write = func(string, state.Header, *cluster.Snapshot) error {
		close(writes)
		<-answer
		return nil
	}
	k := mustKeep(t, r, cfg, filepath.Join(t.TempDir(), "state"), new(instance))
	<-writes
	r.release(cfg, k.use)
	k.awaitLog(t, "not kept: the disk has not answered for 1ms", 1)
	close(answer)
	<-k.done
}

// Two server blocks of one instance share a keeper if they share a watcher, and cannot use one file
// otherwise.
func TestBlocksAndTheirFiles(t *testing.T) {
	r, one, two, i := keeping(t, time.Hour, time.Hour), manifest(t), manifest(t), new(instance)
	path := filepath.Join(t.TempDir(), "state")
	k := mustKeep(t, r, one, path, i)
	if again := mustKeep(t, r, one, path, i); again.keeper != k.keeper {
		t.Error("two keepers for one watcher and one file")
	}
	if other := mustKeep(t, r, one, path+"-2", i); other.keeper == k.keeper {
		t.Error("one keeper for two files")
	}
	other := use{i, "with another age"}
	if _, err := r.acquire(one, kube.Options{}, other); err != nil {
		t.Fatal(err)
	}
	if _, err := r.keep(one, State{Path: path, MaxAge: time.Minute}, k.log, other, func() {}); err == nil || !strings.Contains(err.Error(), "with a MAX_AGE of 1h0m0s: expected the same") {
		t.Errorf("two ages of one file: %v", err)
	}
	if none := mustKeep(t, r, one, "", i); none.keeper != nil {
		t.Error("a keeper without a file")
	}
	u := use{i, "other"}
	if _, err := r.acquire(two, kube.Options{}, u); err != nil {
		t.Fatal(err)
	}
	if _, err := r.keep(two, State{Path: path, MaxAge: time.Hour}, k.log, u, func() {}); err == nil || !strings.Contains(err.Error(), "another server block") {
		t.Errorf("two watchers keep their state in one file: %v", err)
	}
}

// While a reload begins another watch, the new one writes the file; if the reload fails, the old one
// does again.
func TestReloadAndTheFile(t *testing.T) {
	r, one, two := keeping(t, time.Hour, time.Millisecond), manifest(t), manifest(t)
	two.PodNames = true
	addNamespace(t, two, "new")
	path, before, after := filepath.Join(t.TempDir(), "state"), new(instance), new(instance)
	watched := func(cfg kube.Config) func() bool {
		return func() bool {
			f, err := state.Open(path)
			return err == nil && f.Header.Watched == cfg.Watched()
		}
	}
	old := mustKeep(t, r, one, path, before)
	await.True(t, time.Minute, "the file of the first", watched(one))
	mustKeep(t, r, two, path, after)
	await.True(t, time.Minute, "the file of the second", watched(two))
	r.sweep(map[*instance]bool{before: true}) // the reload has failed
	await.True(t, time.Minute, "the file of the first again", watched(one))

	mustKeep(t, r, two, path, after)
	await.True(t, time.Minute, "the file of the second", watched(two))
	r.release(one, old.use) // the reload has succeeded
	if !watched(two)() {
		t.Error("the old watcher has written the file at its end")
	}
}

// A reload can change how old a file may be, and where it is.
func TestReloadChangesState(t *testing.T) {
	r, cfg, before, after := keeping(t, time.Hour, time.Hour), manifest(t), new(instance), new(instance)
	path := filepath.Join(t.TempDir(), "state")
	old := mustKeep(t, r, cfg, path, before)
	u := use{after, "moved"}
	if _, err := r.acquire(cfg, kube.Options{}, u); err != nil {
		t.Fatal(err)
	}
	k, err := r.keep(cfg, State{Path: path, MaxAge: time.Minute}, old.log, u, func() {})
	if err != nil || k != old.keeper || k.maxAge() != time.Minute {
		t.Errorf("%v, the age may be %s", err, k.maxAge())
	}
	moved := mustKeep(t, r, cfg, path+"-2", after)
	r.release(cfg, old.use)
	r.release(cfg, u)
	await.True(t, time.Minute, "the other file", func() bool { _, err := state.Open(moved.Path); return err == nil })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.keepers) != 1 || r.keepers[0] != moved.keeper {
		t.Errorf("%d keepers, want that of the new file", len(r.keepers))
	}
}

// A reload that adds a file to a watcher with data restores nothing, although a request went
// unanswered once.
func TestFileOfASyncedWatcher(t *testing.T) {
	r, cfg := keeping(t, 0, time.Hour), manifest(t)
	for range 20 { // which of the reasons to go on is seen first is chance
		k := mustKeep(t, r, cfg, filepath.Join(t.TempDir(), "state"), new(instance))
		await.True(t, time.Minute, "a file", func() bool { _, err := os.Stat(k.Path); return err == nil })
		r.release(cfg, k.use)
		k.log.Expect(t)
	}
}
