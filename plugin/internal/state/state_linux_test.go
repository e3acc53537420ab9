package state

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/namespace"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

var header = Header{Cluster: "11111111-2222-3333-4444-555555555555", Watched: "everything", Published: "some", Heard: 1700000000, Serial: 1700000007}

// shop has an object of each kind, and each field of one.
const shop = `
namespace shop
namespace back
clusterip shop/web 10.3.0.1,2001:db8::1 https/tcp/443 /tcp/80
headless shop/db sql/tcp/5432
external shop/docs www.example.com. https/tcp/443
outside back/lb 192.0.2.1,2001:db8::2 lb.example.net. http/tcp/80
slice shop/db a sql/tcp/5432 10.4.0.1=pet#eu-1 10.4.0.2@db-0#eu-2 2001:db8::7 10.4.0.3
slice shop/db b
slice shop/unknown a http/tcp/80 10.4.0.9
imported-clusterip shop/web 10.4.0.1 https/tcp/443
imported-slice east shop/web a https/tcp/443 10.4.0.100=my-pet 10.4.0.101
pod shop web 10.0.0.1,2001:db8::5
pod shop db 10.0.0.2
`

// snapshotOf returns a snapshot with shop and Pods with the settings that few have.
func snapshotOf(t clustertest.T) *cluster.Snapshot {
	store := cluster.NewStore()
	txn := store.Begin()
	clustertest.Load(t, txn, shop)
	resolver := cluster.NewResolver("None", []string{"\x04corp\x07example\x00"}, 2)
	for i := range 2 {
		pod := cluster.Pod{Namespace: "back", ID: uint64(i + 100), HostNetwork: i == 0}
		profile := cluster.Profile{Name: fmt.Sprint("job-", i), Labels: map[string]string{"app": "job", "team": "a"}, Resolver: resolver}
		txn.ReplacePod(nil, cluster.NewPod(pod, profile, netip.AddrFrom4([4]byte{10, 0, 1, byte(i)})))
	}
	publish(txn)
	txn.SetSynced()
	txn.Commit()
	return store.Load()
}

// publish publishes names with each kind of record, two of which share what they have.
func publish(txn *cluster.Txn) {
	balancer := &cluster.Published{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.80"), netip.MustParseAddr("2001:db8::80")}}
	txn.Publish("\x04shop\x07example\x03org\x00", balancer)
	txn.Publish("\x01*\x04apps\x07example\x03org\x00", balancer)
	txn.Publish("\x02lb\x04back\x00", &cluster.Published{Alias: "lb.example.net."})
	txn.Publish("\x07example\x03org\x00", &cluster.Published{Records: []cluster.Record{
		{Type: 15, Data: "\x00\x0a\x04mail\x07example\x03org\x00"}, {Type: 15, Data: "\x00\x00\x00"},
		{Type: 16, Data: "\x03one\x00"}, {Type: 33, Data: "\x00\x01\x00\x02\x00\x03\x01a\x00"},
		{Type: 12, Data: "\x01a\x00"}, {Type: 35, Data: "\x00\x01\x00\x02\x01u\x00\x00\x00"}, {Type: 2, Data: "\x01a\x00"},
	}})
	txn.Publish("\x04text\x07example\x03org\x00", new(cluster.Published)) // it exists, and leads nowhere
	txn.SetNamesSynced()
}

func mustDecode(t clustertest.T, data []byte) *cluster.Snapshot {
	t.Helper()
	f, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if f.Header != header {
		t.Fatalf("the header is %+v", f.Header)
	}
	s, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// compared makes cmp compare what look-ups see of a snapshot's objects.
var compared = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}),
	cmpopts.IgnoreUnexported(cluster.Resolver{}, cluster.ServiceNode{}),
	cmpopts.IgnoreFields(cluster.Pod{}, "ID", "UID"),
	cmp.AllowUnexported(cluster.Pod{}, cluster.Profile{}, cluster.Endpoints{}, cluster.Slice{}),
	cmpopts.EquateEmpty(),
}

// objects returns the objects of a snapshot in order.
func objects(s *cluster.Snapshot) []any {
	byKey := func(a, b *cluster.ServiceNode) int { return a.Key.Compare(b.Key) }
	return []any{
		slices.Sorted(s.Namespaces()),
		slices.SortedFunc(s.Nodes(false), byKey),
		slices.SortedFunc(s.Nodes(true), byKey),
		slices.Collect(s.Pods()),
		s.Counts(),
		s.AllPublished(),
		s.NamesSynced(),
	}
}

func TestEveryFieldComesBack(t *testing.T) {
	s := snapshotOf(t)
	data := encode(header, s)
	back := mustDecode(t, data)
	if diff := cmp.Diff(objects(s), objects(back), compared); diff != "" {
		t.Error(diff)
	}
	if !back.Synced() {
		t.Error("the snapshot is not synced")
	}
	if again := encode(header, back); !bytes.Equal(again, data) {
		t.Error("the same state makes another file")
	}
}

func TestRandomClustersComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, model := cluster.NewStore(), clustertest.NewModel()
		txn := store.Begin()
		for range rapid.IntRange(0, 40).Draw(t, "changes") {
			model.Change(t, txn)
		}
		txn.SetSynced()
		txn.Commit()
		back := mustDecode(t, encode(header, store.Load()))
		if diff := cmp.Diff(objects(store.Load()), objects(back), compared); diff != "" {
			t.Fatal(diff)
		}
	})
}

// resum gives data the sum of what it has, as a forger would.
func resum(data []byte) []byte {
	sum := sha256.Sum256(data[len(first)+sha256.Size:])
	copy(data[len(first):], sum[:])
	return data
}

func TestDamage(t *testing.T) {
	data := encode(header, snapshotOf(t))
	for i := range data {
		changed := slices.Clone(data)
		changed[i] ^= 0x10
		if _, err := decode(changed); err == nil {
			t.Errorf("octet %d is another, and nobody notices", i)
		}
		if _, err := decode(data[:i]); !errors.Is(err, errDamaged) {
			t.Errorf("cut at octet %d: %v", i, err)
		}
	}
	for _, version := range []string{"state 1", "state 2", "state 4"} {
		other := bytes.Replace(slices.Clone(data), []byte("state 3"), []byte(version), 1)
		if _, err := decode(other); !errors.Is(err, errVersion) {
			t.Errorf("another version: %v", err)
		}
	}
	long := resum(append(slices.Clone(data), 0))
	if f, err := decode(long); err != nil {
		t.Error(err)
	} else if _, err := f.Snapshot(); !errors.Is(err, errDamaged) {
		t.Errorf("an octet too many: %v", err)
	}
}

func TestWriteAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	for range 2 {
		if err := Write(path, header, snapshotOf(t)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(path)
	if err != nil || f.Header != header {
		t.Fatalf("%+v, %v", f, err)
	}
	about, err := os.Stat(path)
	if err != nil || about.Mode() != 0o600 {
		t.Errorf("mode %v, %v", about.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files, want one", len(left))
	}
}

func TestOpenFails(t *testing.T) {
	folder := t.TempDir()
	huge, short := filepath.Join(folder, "huge"), filepath.Join(folder, "short")
	if err := errors.Join(os.WriteFile(huge, nil, 0o600), os.Truncate(huge, maxSize+1), os.WriteFile(short, []byte(first), 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "none"): "no such file",
		folder:                        "expected a regular file, found a folder",
		huge:                          "expected 33554432 at most",
		short:                         "it is damaged",
		"/dev/zero":                   "expected a regular file, found a pipe, a socket or a device",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// A file that cannot take the place of the one before leaves nothing behind.
func TestWriteFails(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "taken")
	if err := os.MkdirAll(filepath.Join(path, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, header, snapshotOf(t)); err == nil {
		t.Error("a folder was replaced")
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 {
		t.Errorf("%d files, want the folder alone", len(left))
	}
	if err := Write(filepath.Join(folder, "none", "state"), header, snapshotOf(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// ownMounts is set in a process that has mounts of its own.
const ownMounts = "CLUSTERDNS_TEST_STATE_MOUNTS"

// A full disk, and one that may only be read, cost the new file and leave that of before.
func TestWriteWithoutRoom(t *testing.T) {
	if os.Getenv(ownMounts) == "" {
		withOwnMounts(t)
		return
	}
	folder := t.TempDir()
	path, large := filepath.Join(folder, "state"), clustertest.RefStore(clustertest.RefServices, false, true).Load()
	private := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") // nobody outside sees the disk
	if err := errors.Join(private, syscall.Mount("none", folder, "tmpfs", 0, "size=64k"), Write(path, header, snapshotOf(t))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	wantNotWritten(t, path, large, "no space left on device")
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	wantNotWritten(t, path, large, "read-only file system")
}

// withOwnMounts runs the test in a process that may mount.
func withOwnMounts(t *testing.T) {
	t.Helper()
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	again.Env = append(os.Environ(), ownMounts+"=yes")
	again.SysProcAttr = namespace.Attributes(syscall.CLONE_NEWNS)
	if out, err := again.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func wantNotWritten(t *testing.T, path string, s *cluster.Snapshot, why string) {
	t.Helper()
	if err, want := Write(path, header, s), "cannot write in "+filepath.Dir(path)+": "+why; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := Open(path); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files, want that of before", len(left))
	}
}

// What killed writers have left is removed once nobody can be writing it.
func TestSweep(t *testing.T) {
	folder := t.TempDir()
	path, left := filepath.Join(folder, "state"), filepath.Join(folder, ".state.123"+unfinished)
	others := []string{".state.txt", ".other.123" + unfinished, "state.123" + unfinished}
	for _, name := range append(others, filepath.Base(left)) {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Sweep(path, time.Now())
	if _, err := os.Stat(left); err != nil {
		t.Errorf("a file that may be in use is gone: %v", err)
	}
	Sweep(path, time.Now().Add(-time.Hour)) // the clock was set back
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if rest, _ := os.ReadDir(folder); len(rest) != len(others) {
		t.Errorf("%v", rest)
	}
}

// BenchmarkRead reads the state of 10,000 Services and 100,000 endpoints from a file, up to a
// snapshot that can be served, and reports the CPU time.
func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state")
	if err := Write(path, header, clustertest.RefStore(clustertest.RefServices, false, true).Load()); err != nil {
		b.Fatal(err)
	}
	about, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(about.Size())
	b.ReportAllocs()
	before := process.OwnCPU(b)
	for b.Loop() {
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if s, err := f.Snapshot(); err != nil || s.Counts().Services != clustertest.RefServices {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((process.OwnCPU(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
}

func BenchmarkWrite(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state")
	s := clustertest.RefStore(clustertest.RefServices, false, true).Load()
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(path, header, s); err != nil {
			b.Fatal(err)
		}
	}
}

// writerVariable makes the test's own program a writer of the file that it names, until it is killed.
const writerVariable = "CLUSTERDNS_TEST_STATE_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerVariable); path != "" {
		s := clustertest.RefStore(clustertest.RefServices/10, false, true).Load()
		for {
			if err := Write(path, header, s); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

// A process that is killed while it writes leaves the file of before.
func TestKilledWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := Write(path, header, snapshotOf(t)); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		about, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		writer := exec.Command(os.Args[0])
		writer.Env = append(os.Environ(), writerVariable+"="+path)
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		await.True(t, time.Minute, "a new file", func() bool {
			now, err := os.Stat(path)
			return err == nil && !os.SameFile(about, now)
		})
		_ = writer.Process.Kill() // it may write at any moment
		_ = writer.Wait()
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := f.Snapshot(); err != nil || s.Counts().Services == 0 {
			t.Fatal(err)
		}
	}
}

// Names share in memory what they have in common.
func TestNamesShareWhatTheyHave(t *testing.T) {
	all := mustDecode(t, encode(header, snapshotOf(t))).AllPublished()
	if len(all) != 5 || all["\x04shop\x07example\x03org\x00"] != all["\x01*\x04apps\x07example\x03org\x00"] {
		t.Errorf("%d names: %v", len(all), all)
	}
}

// What cannot be the key of a name, or the data of a record, makes a file damaged.
func TestBadPublishedNames(t *testing.T) {
	good := cluster.Record{Type: 16, Data: "\x01a"}
	for _, tc := range []struct {
		name string
		has  *cluster.Published
	}{
		{"\x04Shop\x00", &cluster.Published{Records: []cluster.Record{good}}},
		{"\x05shop\x00", &cluster.Published{Records: []cluster.Record{good}}},
		{"\x00", &cluster.Published{Records: []cluster.Record{good}}},
		{"\x01a", &cluster.Published{Records: []cluster.Record{good}}},
		{"\x01a\x00", &cluster.Published{Alias: "a..b."}},
		{"\x01a\x00", &cluster.Published{Alias: "a.", Records: []cluster.Record{good}}},
		{"\x01a\x00", &cluster.Published{Alias: "a.", Addrs: []netip.Addr{netip.IPv6Loopback()}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 16, Data: ""}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 16, Data: "\x02a"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 15, Data: "\x00\x0a"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 15, Data: "\x00\x0a\x05mail\x00"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 33, Data: "\x00\x00\x00\x00\x00\x00\x01a\x00\x00"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 2, Data: "\x01a"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 12, Data: "\x01a\x00b"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 35, Data: "\x00\x01\x00\x01\x00\x00\x00"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 35, Data: "\x00\x01\x00\x01\x00\x00\x09a\x00"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 35, Data: "\x00"}}}},
		{"\x01a\x00", &cluster.Published{Records: []cluster.Record{{Type: 6, Data: "\x01a\x00"}}}},
	} {
		w := &writer{}
		w.flag(true)
		w.count(1)
		w.has(tc.has)
		w.count(1)
		w.text(tc.name)
		w.count(0)
		d := &decoder{reader: reader{rest: string(w.data)}, txn: cluster.NewStore().Begin()}
		if d.published(); !d.bad {
			t.Errorf("%q has %+v", tc.name, tc.has)
		}
	}
}
