package kube

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/test/kit/leak"
)

const testEpoch = 1700000000

// newTestWriter makes a writer and its resources. The clock stands still, a second after
// the writer was made.
func newTestWriter(cfg Config) (*writer, []resource, *clocktesting.FakeClock) {
	clock := clocktesting.NewFakeClock(time.Unix(testEpoch-1, 0))
	wr := newWriter(clock, nopObserver{}, cfg.Published)
	wr.checkpoints.Restamps = nil
	clock.Step(time.Second)
	resources, err := newResources(cfg, wr)
	if err != nil {
		panic(err)
	}
	return wr, resources, clock
}

// newTestStore makes a store without an observer.
func newTestStore(ctx context.Context, r resource, out chan<- change) *reflectorStore {
	return &reflectorStore{ctx: ctx, resource: r, out: out, outside: newOutside(), observer: nopObserver{}, clock: clock.RealClock{}}
}

func serviceObject(name, address string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       corev1.ServiceSpec{ClusterIP: address},
	}
}

// listAll makes the first list of all resources, without objects.
func listAll(wr *writer, resources []resource) {
	for _, r := range resources {
		list(wr, r)
	}
}

// list makes a list of Services.
func list(wr *writer, r resource, services ...*corev1.Service) {
	wr.apply(r.begin())
	for _, s := range services {
		wr.apply(r.put(s))
	}
	wr.apply(r.end())
}

func TestEqualObjectIsNoChange(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	services := resources[0]
	listAll(wr, resources[1:])
	list(wr, services, serviceObject("web", "10.0.0.1"))

	before := wr.store.Load()
	held := wr.services.Held.At(cluster.Key{Namespace: "shop", Name: "web"})
	list(wr, services, serviceObject("web", "10.0.0.1"))
	wr.apply(services.drop(serviceObject("other", "")))
	if wr.store.Load() != before {
		t.Error("a commit without a change")
	}
	checkpoint := wr.store.LoadCheckpoint()
	if wr.store.Checkpoint(math.MaxUint32); wr.store.LoadCheckpoint() != checkpoint {
		t.Error("a change of the serial without a change")
	}
	if held != wr.services.Held.At(cluster.Key{Namespace: "shop", Name: "web"}) {
		t.Error("the object that snapshots do not point to is held")
	}
}

func TestSyncedWhenEveryKindIsListed(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{Pods: true})
	if len(resources) != 4 {
		t.Fatalf("%d resources", len(resources))
	}
	for i, r := range resources {
		list(wr, r)
		list(wr, r) // a relist counts once
		if last := i == len(resources)-1; wr.store.Load().Synced() != last {
			t.Fatalf("after %d of %d kinds synced is %v", i+1, len(resources), !last)
		}
	}
	select {
	case <-wr.synced:
	default:
		t.Error("synced is not closed")
	}
	if wr.store.Load().Serial() != testEpoch {
		t.Errorf("serial %d", wr.store.Load().Serial())
	}
}

// A kind that the sync no longer waits for may still be listed.
func TestWaive(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{MultiCluster: true})
	imports := resources[3]
	wr.apply(imports.waive())
	wr.apply(imports.waive())
	list(wr, imports)
	for i, r := range resources {
		if wr.store.Load().Synced() {
			t.Fatalf("synced after %d kinds", i)
		}
		list(wr, r)
	}
	if !wr.store.Load().Synced() {
		t.Error("not synced")
	}
}

func TestFeedsOfConfig(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		want int
	}{
		{Config{}, 3},
		{Config{NoEndpoints: true}, 2},
		{Config{Pods: true}, 4},
		{Config{Pods: true, NoEndpoints: true}, 3},
		{Config{MultiCluster: true}, 5},
		{Config{MultiCluster: true, NoEndpoints: true}, 4},
	} {
		if _, resources, _ := newTestWriter(tc.cfg); len(resources) != tc.want {
			t.Errorf("%+v: %d resources, want %d", tc.cfg, len(resources), tc.want)
		}
	}
}

// The last list and the sync are one commit: no reader sees one without the other.
func TestSyncComesWithTheLastList(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{NoEndpoints: true})
	list(wr, resources[1])
	wr.changes <- resources[0].put(serviceObject("web", "10.0.0.1"))
	wr.changes <- resources[0].end()
	wr.apply(resources[0].begin())
	if s := wr.store.Load(); !s.Synced() || s.Counts().Services != 1 {
		t.Errorf("synced %v with %d Services", s.Synced(), s.Counts().Services)
	}
}

func TestBatchIsOneCommit(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	listAll(wr, resources)
	wr.changes <- resources[0].put(serviceObject("b", "10.0.0.2"))
	wr.changes <- resources[0].put(serviceObject("c", "10.0.0.3"))
	before := wr.store.Load()
	wr.apply(resources[0].put(serviceObject("a", "10.0.0.1")))
	if before.Counts().Services != 0 || wr.store.Load().Counts().Services != 3 {
		t.Errorf("%d, then %d Services", before.Counts().Services, wr.store.Load().Counts().Services)
	}
}

func TestSweep(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	var keys []cluster.Key
	for _, name := range []string{"a", "b", "c", "d"} {
		wr.apply(resources[0].put(serviceObject(name, "10.0.0.1")))
		keys = append(keys, cluster.Key{Namespace: "shop", Name: name})
	}
	wr.apply(resources[0].end())
	if n := wr.services.Held.Len(); n != 4 {
		t.Errorf("%d Services after the end of a list that was not begun", n)
	}
	list(wr, resources[0], serviceObject("d", "10.0.0.1"))
	wr.apply(resources[0].put(serviceObject("a", "10.0.0.1")))
	wr.apply(resources[0].begin()) // this list breaks off, the next one counts
	wr.apply(resources[0].put(serviceObject("a", "10.0.0.1")))
	list(wr, resources[0], serviceObject("d", "10.0.0.1"), serviceObject("b", "10.0.0.2"))
	for i, want := range []bool{false, true, false, true} {
		if got := wr.services.Held.At(keys[i]) != nil; got != want {
			t.Errorf("%v is held: %v", keys[i], got)
		}
	}
	if n := wr.store.Load().Counts().Services; n != 2 {
		t.Errorf("%d Services in the store", n)
	}
}

func TestNamespaceComesAndGoes(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	listAll(wr, resources)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	wr.apply(resources[1].put(ns))
	if n := wr.store.Load().Counts().Namespaces; n != 1 {
		t.Errorf("%d Namespaces", n)
	}
	wr.apply(resources[1].drop(ns))
	if n := wr.store.Load().Counts().Namespaces; n != 0 {
		t.Errorf("%d Namespaces", n)
	}
}

// A commit is visible at once; a serial is used at most once a second.
func TestCheckpoints(t *testing.T) {
	leak.None(t)
	wr, resources, clock := newTestWriter(Config{})
	listAll(wr, resources)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); wr.run(ctx) }()
	defer func() { cancel(); <-done }()

	services := func() int { return wr.store.Load().Counts().Services }
	listed := func() int { return wr.store.LoadCheckpoint().Counts().Services }
	serial := func() uint32 { return wr.store.LoadCheckpoint().Serial() }
	put := func(name string) { wr.changes <- resources[0].put(serviceObject(name, "10.0.0.1")) }

	if serial() != testEpoch {
		t.Fatalf("the first serial is %d", serial())
	}
	put("a")
	eventually(t, "the commit", func() bool { return services() == 1 })
	eventually(t, "a timer for the checkpoint", clock.HasWaiters)
	put("b")
	eventually(t, "the second commit", func() bool { return services() == 2 })
	clock.Step(999 * time.Millisecond)
	put("c")
	eventually(t, "the third commit", func() bool { return services() == 3 })
	if serial() != testEpoch || listed() != 0 {
		t.Errorf("within a second: serial %d, %d Services", serial(), listed())
	}
	clock.Step(time.Millisecond)
	eventually(t, "the checkpoint after a second", func() bool { return serial() == testEpoch+1 && listed() == 3 })

	clock.Step(time.Minute)
	if serial() != testEpoch+1 {
		t.Error("a serial without a change")
	}
	put("d")
	eventually(t, "a checkpoint at once", func() bool { return serial() == testEpoch+61 && listed() == 4 })
	if clock.HasWaiters() {
		t.Error("a timer runs although nothing waits")
	}
}

// A pending checkpoint ends with the writer.
func TestStopWhileCheckpointIsDue(t *testing.T) {
	leak.None(t)
	wr, resources, clock := newTestWriter(Config{})
	listAll(wr, resources)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); wr.run(ctx) }()
	wr.changes <- resources[0].put(serviceObject("a", "10.0.0.1"))
	eventually(t, "a timer for the checkpoint", clock.HasWaiters)
	cancel()
	<-done
	if clock.HasWaiters() {
		t.Error("the timer runs on")
	}
}

// runWriter runs a writer, made within a second and with everything listed, until the end
// of the test.
func runWriter(t *testing.T, restamps ...time.Duration) (*writer, *clocktesting.FakeClock) {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.Unix(testEpoch, int64(300*time.Millisecond)))
	wr := newWriter(clock, nopObserver{}, publish.Settings{})
	wr.checkpoints.Restamps = restamps
	resources, err := newResources(Config{}, wr)
	if err != nil {
		t.Fatal(err)
	}
	listAll(wr, resources)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); wr.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return wr, clock
}

// step advances the clock until a timer fires, and waits for the serial.
func (wr *writer) step(t *testing.T, clock *clocktesting.FakeClock, by time.Duration, want uint32) {
	t.Helper()
	eventually(t, "a timer", clock.HasWaiters)
	clock.Step(by)
	eventually(t, fmt.Sprint("the serial ", want), func() bool { return wr.store.LoadCheckpoint().Serial() == want })
}

// P1: the previous process may have used the second of the start for other data, so no
// checkpoint gets it. Look-ups show the next serial.
func TestP1NoSerialOfTheSecondOfTheStart(t *testing.T) {
	leak.None(t)
	wr, clock := runWriter(t)
	wr.step(t, clock, 699*time.Millisecond, 0)
	if live := wr.store.Load(); !live.Synced() || live.Serial() != testEpoch+1 || wr.store.LoadCheckpoint().Synced() {
		t.Errorf("synced %v with the serial %d, checkpoint %v", live.Synced(), live.Serial(), wr.store.LoadCheckpoint().Synced())
	}
	wr.step(t, clock, time.Millisecond, testEpoch+1)
	if live := wr.store.Load(); live != wr.store.LoadCheckpoint() {
		t.Error("look-ups do not see the checkpoint")
	}
}

// P1: a secondary may have a higher serial, from a process whose clock was ahead. So
// unchanged data gets another serial after a while.
func TestP1Restamps(t *testing.T) {
	leak.None(t)
	wr, clock := runWriter(t, time.Minute, time.Hour)
	wr.step(t, clock, 700*time.Millisecond, testEpoch+1)
	serial := func() uint32 { return wr.store.LoadCheckpoint().Serial() }
	for _, wait := range []time.Duration{time.Minute, time.Hour} {
		before := serial()
		clock.Step(wait)
		eventually(t, "another serial", func() bool {
			clock.Step(100 * time.Millisecond)
			return serial() > before
		})
		if serial() < before+uint32(wait.Seconds()) {
			t.Errorf("serial %d after %d, %s later", serial(), before, wait)
		}
	}
	if clock.HasWaiters() {
		t.Error("a timer runs although nothing waits")
	}
}

// P1: after a reload the same data may make another zone, so it gets the serial of a second
// that no instance has used.
func TestP1RestampOnReload(t *testing.T) {
	leak.None(t)
	wr, clock := runWriter(t)
	wr.step(t, clock, 700*time.Millisecond, testEpoch+1)
	clock.Step(5600 * time.Millisecond)
	made := (&Watcher{writer: wr}).Restamp()
	wr.step(t, clock, 99*time.Millisecond, testEpoch+1)
	select {
	case <-made:
		t.Error("made within a second that has begun")
	default:
	}
	wr.step(t, clock, 301*time.Millisecond, testEpoch+7)
	<-made
}

// P1: another watch of a reload makes its checkpoints in seconds of its own. Its serial is
// not behind the one that secondaries have, and that one stays until the reload has ended.
func TestP1SerialOfAnotherWatch(t *testing.T) {
	leak.None(t)
	old, clock := runWriter(t)
	old.step(t, clock, 700*time.Millisecond, testEpoch+1)
	now, itsClock := runWriter(t)
	now.step(t, itsClock, 700*time.Millisecond, testEpoch+1)
	made := (&Watcher{writer: old}).Restamp()
	old.step(t, clock, time.Second, testEpoch+2)
	<-made
	made = (&Watcher{writer: old}).Restamp()
	itsClock.Step(time.Second)
	release := Succeed(&Watcher{writer: now}, &Watcher{writer: old})
	if live, last := now.store.Load(), now.store.LoadCheckpoint(); live.Serial() != testEpoch+2 || last.Serial() != testEpoch+2 {
		t.Errorf("look-ups show the serial %d, transfers %d; want %d", live.Serial(), last.Serial(), testEpoch+2)
	}
	clock.Step(time.Minute)
	if clock.HasWaiters() || old.store.LoadCheckpoint().Serial() != testEpoch+2 {
		t.Error("the watch that served before has another serial during the reload")
	}
	release()
	<-made
	made = (&Watcher{writer: now}).Restamp()
	now.step(t, itsClock, time.Second, testEpoch+3)
	<-made
}

// P1: during a reload the old watch answers beside the new one. Whichever is asked, no serial goes
// back, even if the new watch was ahead.
func TestP1SerialsSideBySide(t *testing.T) {
	leak.None(t)
	old, clock := runWriter(t)
	old.step(t, clock, 700*time.Millisecond, testEpoch+1)
	clock.Step(time.Second)
	now, itsClock := runWriter(t)
	now.step(t, itsClock, 700*time.Millisecond, testEpoch+1)
	made := (&Watcher{writer: now}).Restamp()
	now.step(t, itsClock, time.Second, testEpoch+2)
	<-made
	both := []*writer{old, now}
	release := Succeed(&Watcher{writer: now}, &Watcher{writer: old})
	var renewed []<-chan struct{}
	for _, wr := range both {
		renewed = append(renewed, (&Watcher{writer: wr}).Restamp())
	}
	clock.Step(time.Minute)
	itsClock.Step(time.Minute)
	for i, wr := range both {
		if live, last := wr.store.Load().Serial(), wr.store.LoadCheckpoint().Serial(); live != testEpoch+2 || last != testEpoch+2 {
			t.Errorf("%d: look-ups show the serial %d, transfers %d; want %d", i, live, last, testEpoch+2)
		}
	}
	release()
	for _, made := range renewed {
		<-made
	}
}

// P1: look-ups of a new watch show a second that has not begun. Transfers get it once it has.
func TestP1SerialWaitsForItsSecond(t *testing.T) {
	leak.None(t)
	old, _ := runWriter(t)
	now, clock := runWriter(t)
	both := []*writer{old, now}
	succeeded := make(chan func())
	go func() { succeeded <- Succeed(&Watcher{writer: now}, &Watcher{writer: old}) }()
	held := false
	eventually(t, "the wait", func() bool {
		now.do(func() { held = now.checkpoints.Due() == nil })
		return held && clock.HasWaiters()
	})
	for i, wr := range both {
		if wr.store.LoadCheckpoint().Synced() {
			t.Errorf("%d: a checkpoint before its second", i)
		}
	}
	clock.Step(700 * time.Millisecond)
	release := <-succeeded
	for i, wr := range both {
		if serial := wr.store.LoadCheckpoint().Serial(); serial != testEpoch+1 {
			t.Errorf("%d: the serial %d, want %d", i, serial, testEpoch+1)
		}
	}
	release()
}
