// Package manifest reads Kubernetes objects from files, and follows the files.
//
// A Follower looks at its files whenever the caller asks. It reads them when they have changed
// and then stayed the same from one look to the next. Files that cannot be read change nothing:
// the caller keeps the last good state.
//
// A path is a file, or a folder of .yaml, .yml and .json files; hidden files and files in
// subfolders do not count. A file has YAML documents or one JSON value. Each is a
// Namespace, a Service, an EndpointSlice, a Pod, a ServiceImport or a list, as kubectl get
// prints it. Objects that have no meaning in DNS (other kinds, ...) are reported once, in a
// warning.
//
//	files.go                  which files there are, and whether they have changed
//	pieces                    splits a file into pieces that are parsed one by one
//	document.go, bounds.go    parse a piece, and refuse values that stand for too much
//	bundle.go, inspect.go     collect the objects of all files
//	warnings.go               report objects that will not do what their author may expect
//
// The rule not to break: whatever is in a file, reading it ends, in bounded time and
// memory, and an error says where in the file it is.
package manifest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// settling is how old the last change of a file must be before its modification time is
// sure to differ after another change. File systems store times in coarse steps.
const settling = 2 * time.Second

// Logger receives the few log lines of a Follower.
type Logger interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Options are the settings of a Follower. All fields but Published must be set.
type Options[T any] struct {
	Paths     []string
	Kinds     []string       // names of the kinds that the caller uses
	Published []publish.Kind // those of them that give names to the world

	// Convert returns what the caller keeps of an object. The object itself is not kept any
	// longer.
	Convert func(kind string, object metav1.Object) T

	Log    Logger
	Failed func() // called for each change that cannot be read
	Begin  func() // called before files are parsed
	End    func() // called after files are parsed
	Clock  clock.PassiveClock
}

// Follower reads files and follows their changes. T is what the caller keeps of an object.
type Follower[T any] struct {
	opts Options[T]

	last     fileSet           // the files at the last look
	read     fileSet           // the files when they were last read
	recent   bool              // read was so recent that another change may not show in it
	digest   [sha256.Size]byte // hash of the contents that were read last
	failed   bool              // the contents that were read last were refused
	warnings warnings          // of the last good state
}

// New makes a Follower.
func New[T any](opts Options[T]) *Follower[T] { return &Follower[T]{opts: opts} }

// Load reads the files for the first time. It returns the results of Convert, in the order
// of the files.
func (f *Follower[T]) Load() ([]T, error) {
	ctx := context.Background()
	f.last = findFiles(f.opts.Paths)
	digest, err := f.last.digest(ctx)
	if f.note(f.last, digest); err != nil {
		return nil, err
	}
	return f.parse(ctx, f.last)
}

// Look looks at the files once. It returns the results of Convert for all objects if the
// files have changed since they were last read, but not since the last look: before that
// they may be half written.
func (f *Follower[T]) Look(ctx context.Context) (all []T, changed bool) {
	return f.follow(ctx, findFiles(f.opts.Paths))
}

func (f *Follower[T]) follow(ctx context.Context, now fileSet) (all []T, changed bool) {
	settled := now.same(f.last)
	f.last = now
	if !settled || (now.same(f.read) && !f.recent) {
		return nil, false
	}
	digest, err := now.digest(ctx)
	if ctx.Err() != nil || vanished(now, err) {
		return nil, false
	}
	before := f.digest
	if f.note(now, digest); digest == before {
		return nil, false
	}
	if err == nil {
		all, err = f.parse(ctx, now)
	}
	if ctx.Err() != nil || vanished(now, err) {
		f.digest = [sha256.Size]byte{} // the contents have not been used
		return nil, false
	}
	f.report(err)
	return all, err == nil
}

// vanished reports whether a file disappeared between the look and the reading. That is no
// error, and the next look shows the new state.
func vanished(files fileSet, err error) bool {
	return files.err == nil && errors.Is(err, fs.ErrNotExist)
}

// report logs a line when the files cannot be read, or can be read again.
func (f *Follower[T]) report(err error) {
	if err != nil {
		f.opts.Log.Errorf("manifests cannot be read, keeping the last good state: %v", err)
		f.opts.Failed()
	} else if f.failed {
		f.opts.Log.Infof("manifests can be read again")
	}
	f.failed = err != nil
}

// note records which files have been read, and a hash of their contents.
func (f *Follower[T]) note(files fileSet, digest [sha256.Size]byte) {
	f.read, f.recent = files, files.changedSince(f.opts.Clock.Now().Add(-settling))
	f.digest = digest
}

// parse reads the files again, now for their objects. Their text is never in memory as a
// whole.
func (f *Follower[T]) parse(ctx context.Context, files fileSet) ([]T, error) {
	f.opts.Begin()
	defer f.opts.End()
	var all []T
	b := newBundle(func(i int, kind string, object metav1.Object) {
		kept := f.opts.Convert(kind, object)
		if i == len(all) {
			all = append(all, kept)
		} else {
			all[i] = kept
		}
	})
	b.kinds = f.opts.Kinds
	b.publish(f.opts.Published)
	if err := files.each(ctx, b.read); err != nil {
		return nil, err
	}
	if err := b.check(files, f.opts.Paths); err != nil {
		return nil, err
	}
	b.finish(files)
	b.warnings.write(f.opts.Log, &f.warnings)
	f.warnings = b.warnings
	return all, nil
}
