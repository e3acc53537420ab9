package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/state"
)

// State says where what a watcher knows is kept, for a start without its API server.
type State struct {
	Path   string        // of the file; "" for none
	MaxAge time.Duration // an older file is not used
}

// Times of keepers.
type times struct {
	grace time.Duration // how long a start waits for the API server before it uses the file
	fresh time.Duration // a start does not wait if the file is at most so old
	pause time.Duration // the shortest time between two writes
	end   time.Duration // how long an end waits for the last write
	renew time.Duration // how much younger a state has to be to be written although it is the same
}

// The API server is heard of once a minute at least. So the file that a server leaves behind when it
// is killed is at most as old as fresh.
var keeperTimes = times{grace: time.Second, fresh: 2 * time.Minute, pause: 30 * time.Second, renew: 30 * time.Second, end: 5 * time.Second}

// keeper keeps what a watcher knows in a file. If the watcher begins without its API server, the
// keeper restores what the file has.
type keeper struct {
	State
	times
	registry *Registry
	running  *running
	watched  string // which objects the watcher has
	publish  string // which of them have published names; "" for none
	log      kube.Logger
	uses     map[use]bool // by server blocks; the registry's mutex guards it
	instance *instance    // that began it
	begin    func()       // has the watcher ask its API server

	cluster  string        // that the restored state is of
	restored chan struct{} // closed when the watcher shows what the file has
	stop     context.CancelFunc
	done     chan struct{}

	saved   *cluster.Snapshot
	heard   int64  // of saved
	trouble string // why the last write failed
}

// keep makes a keeper for a watcher, or uses the one that there is. A file can have the state of
// one watcher only. keep returns nil if nothing is to be kept. The keeper calls begin when the API
// server is to be asked, unless the file is served before.
func (r *Registry) keep(cfg kube.Config, s State, log kube.Logger, u use, begin func()) (*keeper, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run := r.running[cfg]
	if s.Path == "" || run == nil {
		return nil, nil
	}
	for _, k := range r.keepers {
		if k.Path == s.Path && k.running == run && len(k.uses) > 0 {
			if k.MaxAge != s.MaxAge && k.usedBy(u.instance) {
				return nil, fmt.Errorf("state %s: another server block has it with a MAX_AGE of %s: expected the same", s.Path, k.MaxAge)
			}
			k.MaxAge, k.uses[u] = s.MaxAge, true
			return k, nil
		}
		if k.Path == s.Path && k.usedBy(u.instance) {
			return nil, fmt.Errorf("state %s: another server block keeps there what it watches: expected another file", s.Path)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	k := &keeper{
		State: s, times: r.times, registry: r, running: run, watched: cfg.Watched(), publish: published(cfg.Published), log: log, uses: map[use]bool{u: true}, instance: u.instance, begin: begin,
		restored: make(chan struct{}), stop: stop, done: make(chan struct{}),
	}
	r.keepers = append(r.keepers, k)
	go func() {
		defer close(k.done)
		k.run(ctx)
	}()
	return k, nil
}

func (k *keeper) usedBy(i *instance) bool {
	for u := range k.uses {
		if u.instance == i {
			return true
		}
	}
	return false
}

// unusedKeepers returns the keepers without a use. The caller must hold the mutex.
func (r *Registry) unusedKeepers() []*keeper {
	for _, k := range r.keepers {
		for u := range k.uses {
			if k.running.uses[u] == 0 {
				delete(k.uses, u)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(r.keepers), func(k *keeper) bool { return len(k.uses) > 0 })
}

// endKeepers makes keepers write what there is to write, and ends them. A disk that does not answer
// must hold up neither the end of the server nor a reload. The caller must not hold the mutex.
func (r *Registry) endKeepers(list []*keeper) {
	for _, k := range list {
		k.stop()
		select {
		case <-k.done:
		case <-time.After(r.times.end):
			k.log.Warningf("state %s: not kept: the disk has not answered for %s", k.Path, r.times.end)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keepers = slices.DeleteFunc(r.keepers, func(k *keeper) bool { return slices.Contains(list, k) })
}

// owns reports whether a keeper may write its file, and whether it was the last to do so. During a
// reload there may be an older keeper of the same file: the newest one owns it.
func (r *Registry) owns(k *keeper) (owns, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range slices.Backward(r.keepers) {
		if other.Path == k.Path {
			return other == k, r.wrote[k.Path] == k
		}
	}
	return false, false
}

// run restores the state if need be, and writes it as long as ctx lasts.
func (k *keeper) run(ctx context.Context) {
	state.Sweep(k.Path, time.Now())
	if !k.await(ctx) {
		return
	}
	for {
		k.save(min(k.renew, k.maxAge()/8))
		select {
		case <-ctx.Done():
			k.save(time.Second)
			return
		case <-time.After(k.pause):
		}
	}
}

// await waits until the watcher has the data of its API server, and restores the file meanwhile. It
// reports false if ctx ends before. A reload restores nothing: what the instance before has is newer.
func (k *keeper) await(ctx context.Context) bool {
	w := k.running.watcher
	long, fresh := k.wait(time.Now())
	if fresh == nil {
		k.begin()
	}
	select {
	case <-w.Synced():
		return true
	case <-ctx.Done():
		return false
	case <-w.Unanswered():
	case <-time.After(long):
	}
	restored := !k.registry.syncedBeside(k.instance) && k.restore(fresh)
	var identified <-chan struct{}
	if restored {
		identified = w.Identified()
	} else {
		k.begin()
	}
	for {
		select {
		case <-w.Synced():
			if restored && k.confirm() { // names may be left of it
				k.log.Infof("state %s: what the API server has now takes its place", k.Path)
			}
			return true
		case <-identified:
			restored, identified = k.confirm(), nil
		case <-ctx.Done():
			return false
		}
	}
}

// restore makes the watcher show what the file has, and reports whether it does. The file is opened
// unless it is open already.
func (k *keeper) restore(f *state.File) bool {
	select {
	case <-k.running.watcher.Synced():
		return false // a request went unanswered long ago
	default:
	}
	f, age, err := k.open(f)
	if errors.Is(err, fs.ErrNotExist) {
		k.log.Infof("state %s: nothing has been kept there yet", k.Path)
		return false
	}
	var s *cluster.Snapshot
	if err == nil {
		s, err = f.Snapshot()
	}
	if err != nil {
		k.log.Warningf("state %s: not used: %v", k.Path, err)
		return false
	}
	if !k.hasNames(f) {
		s = s.WithoutNames()
	}
	if !k.running.watcher.Restore(s, f.Header.Heard, f.Header.Serial) {
		return false
	}
	if k.publish != "" && !k.hasNames(f) {
		k.log.Warningf("state %s: it has not the names that k8s_gateway is to show: they wait for the API server", k.Path)
	}
	k.log.Warningf("state %s: serving what was known %s, until the API server answers", k.Path, known(f.Header.Heard, age))
	k.cluster = f.Header.Cluster
	close(k.restored)
	return true
}

// open opens the file unless it is open, and checks whether it is of this watcher, and how old it is.
func (k *keeper) open(f *state.File) (_ *state.File, age time.Duration, err error) {
	if f == nil {
		if f, err = state.Open(k.Path); err != nil {
			return nil, 0, err
		}
	}
	actual := k.running.watcher.Cluster()
	age = max(0, time.Since(time.Unix(f.Header.Heard, 0))).Round(time.Second)
	switch {
	case f.Header.Watched != k.watched:
		err = errors.New("another Corefile has watched other objects")
	case f.Header.Cluster != "" && actual != "" && f.Header.Cluster != actual:
		err = errOtherCluster
	case age > k.maxAge():
		err = fmt.Errorf("it is %s old: expected %s at most", age, k.maxAge())
	}
	return f, age, err
}

// maxAge returns the age up to which the file is used. A reload may change it.
func (k *keeper) maxAge() time.Duration {
	k.registry.mu.Lock()
	defer k.registry.mu.Unlock()
	return k.MaxAge
}

// known says in words when a state was true.
func known(heard int64, age time.Duration) string {
	if ahead := time.Until(time.Unix(heard, 0)); ahead > time.Second {
		return fmt.Sprintf("at a time that the clock reaches in %s", ahead.Round(time.Second))
	}
	return fmt.Sprintf("%s ago", age)
}

var errOtherCluster = errors.New("it is of another cluster")

// confirm takes the restored state back if it is of another cluster, and reports whether it stays.
func (k *keeper) confirm() bool {
	w := k.running.watcher
	if actual := w.Cluster(); k.cluster == "" || actual == "" || k.cluster == actual {
		return true
	}
	k.log.Errorf("state %s: no longer served: %v", k.Path, errOtherCluster)
	w.Dismiss()
	return false
}

// save writes the file if the watcher has something new, or has heard of the API server for so long
// since the last write: where nothing changes, the file must not grow old.
func (k *keeper) save(after time.Duration) {
	w := k.running.watcher
	s, heard := w.Store().Load(), w.Heard()
	owns, last := k.registry.owns(k)
	if !owns || last && s == k.saved && heard-k.heard < int64(after.Seconds()) {
		return
	}
	err := k.registry.write(k.Path, state.Header{Cluster: w.Cluster(), Watched: k.watched, Published: k.publishedIn(s), Heard: heard, Serial: s.Serial()}, s)
	if err != nil {
		if text := err.Error(); text != k.trouble {
			k.trouble = text
			k.log.Warningf("state %s: not kept: %v", k.Path, err)
		}
		return
	}
	if k.trouble != "" {
		k.trouble = ""
		k.log.Infof("state %s: kept again", k.Path)
	}
	k.saved, k.heard = s, heard
	k.registry.mu.Lock()
	k.registry.wrote[k.Path] = k
	k.registry.mu.Unlock()
}
