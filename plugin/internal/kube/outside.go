package kube

import (
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// outside is what is known of the API server besides its objects.
type outside struct {
	cluster    atomic.Pointer[types.UID] // nil if it is not known
	heard      atomic.Int64              // unix time, 0 for never
	identified chan struct{}             // closed when the cluster is known
	identify1  sync.Once
	unanswered chan struct{} // closed at the first request without an answer
	noAnswer   func()
}

func newOutside() *outside {
	o := &outside{identified: make(chan struct{}), unanswered: make(chan struct{})}
	o.noAnswer = sync.OnceFunc(func() { close(o.unanswered) })
	return o
}

// identify records the UID of the Namespace kube-system, which nobody can delete. Manifests have
// none.
func (o *outside) identify(uid types.UID) {
	if uid == "" {
		return
	}
	o.cluster.Store(&uid)
	o.identify1.Do(func() { close(o.identified) })
}

// Cluster returns the UID of the cluster (that of the Namespace kube-system), or "" if it is not
// known.
func (w *Watcher) Cluster() string {
	if uid := w.writer.outside.cluster.Load(); uid != nil {
		return string(*uid)
	}
	return ""
}

// Identified returns a channel that closes when the cluster is known.
func (w *Watcher) Identified() <-chan struct{} { return w.writer.outside.identified }

// Unanswered returns a channel that closes when the API server has left a request unanswered.
func (w *Watcher) Unanswered() <-chan struct{} { return w.writer.outside.unanswered }

// Heard returns the unix time at which the API server was last heard of, or 0.
func (w *Watcher) Heard() int64 { return w.writer.outside.heard.Load() }

// Restore shows an earlier state of the cluster, which was true at asOf, until the source has brought
// a whole cluster: one commit then takes its place. Serials are higher than after. It reports false,
// and does nothing, if the source already has.
func (w *Watcher) Restore(s *cluster.Snapshot, asOf int64, after uint32) (restored bool) {
	w.writer.do(func() {
		if restored = !closed(w.writer.synced); restored {
			w.writer.store.RaiseSerial(after + 1)
			w.writer.store.Restore(s, asOf)
			w.writer.checkpoints.Make()
		}
	})
	if restored {
		w.writer.send(func(txn *cluster.Txn) { w.writer.inherit(txn, s) })
	}
	return restored
}

// Dismiss takes back a restored state.
func (w *Watcher) Dismiss() { w.writer.do(w.writer.store.Dismiss) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
