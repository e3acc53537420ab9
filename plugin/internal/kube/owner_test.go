package kube

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

const testEpoch = 1700000000

// newTestOwner makes an owner with a clock that stands still, a second after it was
// made, and its feeds.
func newTestOwner(cfg Config) (*owner, []*feed, *clocktesting.FakeClock) {
	clock := clocktesting.NewFakeClock(time.Unix(testEpoch-1, 0))
	o := newOwner(clock, inattention{})
	o.restamps = nil
	clock.Step(time.Second)
	feeds, err := newFeeds(cfg, o)
	if err != nil {
		panic(err)
	}
	return o, feeds, clock
}

// newTestSink makes a sink that tells nobody what it hears.
func newTestSink(ctx context.Context, f *feed, out chan<- change) *sink {
	return &sink{ctx: ctx, feed: f, out: out, observer: inattention{}, clock: clock.RealClock{}}
}

func serviceObject(name, address string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       corev1.ServiceSpec{ClusterIP: address},
	}
}

// listAll is the first list of all feeds. There is nothing in it.
func listAll(o *owner, feeds []*feed) {
	for _, f := range feeds {
		list(o, f)
	}
}

// list is a list of Services.
func list(o *owner, f *feed, services ...*corev1.Service) {
	o.apply(f.begin())
	for _, s := range services {
		o.apply(f.put(s))
	}
	o.apply(f.end())
}

func TestEqualObjectIsNoChange(t *testing.T) {
	o, feeds, _ := newTestOwner(Config{})
	services := feeds[0]
	listAll(o, feeds[1:])
	list(o, services, serviceObject("web", "10.0.0.1"))

	before := o.store.Load()
	held := o.services.held.at(cluster.Key{Namespace: "shop", Name: "web"})
	list(o, services, serviceObject("web", "10.0.0.1"))
	o.apply(services.drop(serviceObject("other", "")))
	if o.store.Load() != before {
		t.Error("a commit without a change")
	}
	if o.store.Dirty() {
		t.Error("a change of the serial without a change")
	}
	if held != o.services.held.at(cluster.Key{Namespace: "shop", Name: "web"}) {
		t.Error("the object that snapshots do not point to is held")
	}
}

func TestSyncedWhenEveryKindIsListed(t *testing.T) {
	o, feeds, _ := newTestOwner(Config{Pods: true})
	if len(feeds) != 4 {
		t.Fatalf("%d feeds", len(feeds))
	}
	for i, f := range feeds {
		list(o, f)
		list(o, f) // a relist counts once
		if last := i == len(feeds)-1; o.store.Load().Synced() != last {
			t.Fatalf("after %d of %d kinds synced is %v", i+1, len(feeds), !last)
		}
	}
	select {
	case <-o.synced:
	default:
		t.Error("synced is not closed")
	}
	if o.store.Load().Serial() != testEpoch {
		t.Errorf("serial %d", o.store.Load().Serial())
	}
}

// A kind that is not waited for any more may be listed all the same.
func TestWaive(t *testing.T) {
	o, feeds, _ := newTestOwner(Config{MultiCluster: true})
	imports := feeds[3]
	o.apply(imports.waive())
	o.apply(imports.waive())
	list(o, imports)
	for i, f := range feeds {
		if o.store.Load().Synced() {
			t.Fatalf("synced after %d kinds", i)
		}
		list(o, f)
	}
	if !o.store.Load().Synced() {
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
		if _, feeds, _ := newTestOwner(tc.cfg); len(feeds) != tc.want {
			t.Errorf("%+v: %d feeds, want %d", tc.cfg, len(feeds), tc.want)
		}
	}
}

// The last list and the sync are one commit: no reader sees one without the other.
func TestSyncComesWithTheLastList(t *testing.T) {
	o, feeds, _ := newTestOwner(Config{NoEndpoints: true})
	list(o, feeds[1])
	o.changes <- feeds[0].put(serviceObject("web", "10.0.0.1"))
	o.changes <- feeds[0].end()
	o.apply(feeds[0].begin())
	if s := o.store.Load(); !s.Synced() || s.Counts().Services != 1 {
		t.Errorf("synced %v with %d Services", s.Synced(), s.Counts().Services)
	}
}

func TestBatchIsOneCommit(t *testing.T) {
	o, feeds, _ := newTestOwner(Config{})
	listAll(o, feeds)
	o.changes <- feeds[0].put(serviceObject("b", "10.0.0.2"))
	o.changes <- feeds[0].put(serviceObject("c", "10.0.0.3"))
	before := o.store.Load()
	o.apply(feeds[0].put(serviceObject("a", "10.0.0.1")))
	if before.Counts().Services != 0 || o.store.Load().Counts().Services != 3 {
		t.Errorf("%d, then %d Services", before.Counts().Services, o.store.Load().Counts().Services)
	}
}

func TestSweep(t *testing.T) {
	o, feeds, _ := newTestOwner(Config{})
	var keys []cluster.Key
	for _, name := range []string{"a", "b", "c", "d"} {
		o.apply(feeds[0].put(serviceObject(name, "10.0.0.1")))
		keys = append(keys, cluster.Key{Namespace: "shop", Name: name})
	}
	o.apply(feeds[0].end())
	if n := o.services.held.count; n != 4 {
		t.Errorf("%d Services after the end of a list that was not begun", n)
	}
	list(o, feeds[0], serviceObject("d", "10.0.0.1"))
	o.apply(feeds[0].put(serviceObject("a", "10.0.0.1")))
	o.apply(feeds[0].begin()) // this list breaks off, the next one counts
	o.apply(feeds[0].put(serviceObject("a", "10.0.0.1")))
	list(o, feeds[0], serviceObject("d", "10.0.0.1"), serviceObject("b", "10.0.0.2"))
	for i, want := range []bool{false, true, false, true} {
		if got := o.services.held.at(keys[i]) != nil; got != want {
			t.Errorf("%v is held: %v", keys[i], got)
		}
	}
	if n := o.store.Load().Counts().Services; n != 2 {
		t.Errorf("%d Services in the store", n)
	}
}

func TestNamespaceComesAndGoes(t *testing.T) {
	o, feeds, _ := newTestOwner(Config{})
	listAll(o, feeds)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	o.apply(feeds[1].put(ns))
	if n := o.store.Load().Counts().Namespaces; n != 1 {
		t.Errorf("%d Namespaces", n)
	}
	o.apply(feeds[1].drop(ns))
	if n := o.store.Load().Counts().Namespaces; n != 0 {
		t.Errorf("%d Namespaces", n)
	}
}

// Commits are seen at once; a serial is spent at most once a second.
func TestCheckpoints(t *testing.T) {
	leakless(t)
	o, feeds, clock := newTestOwner(Config{})
	listAll(o, feeds)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); o.run(ctx) }()
	defer func() { cancel(); <-done }()

	services := func() int { return o.store.Load().Counts().Services }
	listed := func() int { return o.store.LoadCheckpoint().Counts().Services }
	serial := func() uint32 { return o.store.LoadCheckpoint().Serial() }
	put := func(name string) { o.changes <- feeds[0].put(serviceObject(name, "10.0.0.1")) }

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

// A pending checkpoint does not outlive the owner.
func TestStopWhileCheckpointIsDue(t *testing.T) {
	leakless(t)
	o, feeds, clock := newTestOwner(Config{})
	listAll(o, feeds)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); o.run(ctx) }()
	o.changes <- feeds[0].put(serviceObject("a", "10.0.0.1"))
	eventually(t, "a timer for the checkpoint", clock.HasWaiters)
	cancel()
	<-done
	if clock.HasWaiters() {
		t.Error("the timer runs on")
	}
}

// runOwner runs an owner that began within a second until the test is over, with
// everything listed.
func runOwner(t *testing.T, restamps ...time.Duration) (*owner, *clocktesting.FakeClock) {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.Unix(testEpoch, int64(300*time.Millisecond)))
	o := newOwner(clock, inattention{})
	o.restamps = restamps
	feeds, err := newFeeds(Config{}, o)
	if err != nil {
		t.Fatal(err)
	}
	listAll(o, feeds)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); o.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return o, clock
}

// step lets a timer run out and waits for the serial.
func (o *owner) step(t *testing.T, clock *clocktesting.FakeClock, by time.Duration, want uint32) {
	t.Helper()
	eventually(t, "a timer", clock.HasWaiters)
	clock.Step(by)
	eventually(t, fmt.Sprint("the serial ", want), func() bool { return o.store.LoadCheckpoint().Serial() == want })
}

// P1: the process before may have given the second of the start to other data, so it
// gets no checkpoint. Look-ups show the serial that comes.
func TestP1NoSerialOfTheSecondOfTheStart(t *testing.T) {
	leakless(t)
	o, clock := runOwner(t)
	o.step(t, clock, 699*time.Millisecond, 0)
	if live := o.store.Load(); !live.Synced() || live.Serial() != testEpoch+1 || o.store.LoadCheckpoint().Synced() {
		t.Errorf("synced %v with the serial %d, checkpoint %v", live.Synced(), live.Serial(), o.store.LoadCheckpoint().Synced())
	}
	o.step(t, clock, time.Millisecond, testEpoch+1)
	if live := o.store.Load(); live != o.store.LoadCheckpoint() {
		t.Error("look-ups do not see the checkpoint")
	}
}

// P1: a clock that goes back while the first checkpoint waits takes no serial back.
func TestP1ClockGoesBackAfterTheStart(t *testing.T) {
	leakless(t)
	o, clock := runOwner(t)
	eventually(t, "a timer", clock.HasWaiters)
	o.changes <- func(*cluster.Txn) {
		o.checkpointed = o.checkpointed.Add(-time.Hour)
		o.due = nil
		o.store.Touch()
		o.checkpoint()
	}
	eventually(t, "the checkpoint", func() bool { return o.store.LoadCheckpoint().Serial() == testEpoch+1 })
}

// P1: a secondary may have a higher serial from a process whose clock was ahead, so
// data that does not change is given another after a while.
func TestP1Restamps(t *testing.T) {
	leakless(t)
	o, clock := runOwner(t, time.Minute, time.Hour)
	o.step(t, clock, 700*time.Millisecond, testEpoch+1)
	serial := func() uint32 { return o.store.LoadCheckpoint().Serial() }
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

// P1: after a reload the same data may be another zone, so it is given the serial of a
// second that no instance has used.
func TestP1RestampOnReload(t *testing.T) {
	leakless(t)
	o, clock := runOwner(t)
	o.step(t, clock, 700*time.Millisecond, testEpoch+1)
	clock.Step(5600 * time.Millisecond)
	made := (&Watcher{owner: o}).Restamp()
	o.step(t, clock, 99*time.Millisecond, testEpoch+1)
	select {
	case <-made:
		t.Error("made within a second that has begun")
	default:
	}
	o.step(t, clock, 301*time.Millisecond, testEpoch+7)
	<-made
}
