// Package manifest reads Kubernetes objects from files, and follows the files.
//
// A Follower looks at its files in an interval and reads them when they have changed and
// come to rest. What cannot be read changes nothing: the caller keeps the last good state.
//
// A path is a file, or a folder of .yaml, .yml and .json files, of which hidden files and files in
// folders below do not count. A file has YAML documents or one JSON value, and each is a
// Namespace, a Service, an EndpointSlice, a Pod, a ServiceImport or a list, as kubectl get prints
// it. Objects that have no meaning in DNS (other kinds, ...) are reported once, in a warning.
//
//	files.go                  which files there are, and whether they have changed
//	pieces.go, lists.go       split a file into pieces that are parsed one by one
//	document.go, bounds.go    parse a piece, and refuse what stands for too much
//	bundle.go, inspect.go     the objects of all files together
//	warnings.go               the objects that will not do what their author may expect
//
// Whatever a file holds, reading it must end, in bounded time and memory, and an error says
// where in the file it is.
package manifest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
)

// defaultPoll is the time between two looks at the files. A change shows after two
// of them. A look takes microseconds for each file. File systems that tell of changes
// do so in ways of their own for a mounted ConfigMap, a network folder and an editor, so the
// Follower would have to look anyway.
const defaultPoll = 250 * time.Millisecond

// settling is how old a change of a file must be for its time of change to tell
// the next one. File systems count in coarse steps.
const settling = 2 * time.Second

// Logger is what a Follower writes its few lines to.
type Logger interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Options is what a Follower works with. All but Poll must be set.
type Options[T any] struct {
	Paths          []string
	ServiceImports bool // the caller shows ServiceImports

	// Convert returns what the caller keeps of an object. An object is not in memory
	// any longer than that.
	Convert func(kind string, object metav1.Object) T

	Log    Logger
	Failed func()        // counts changes that could not be read
	Begin  func()        // is called before files are parsed,
	End    func()        // and this after it
	Poll   time.Duration // 0 means defaultPoll
	Clock  clock.WithTicker
}

// Follower reads files and follows their changes. T is what its user keeps of an object.
type Follower[T any] struct {
	opts Options[T]

	last     fileSet           // as last looked at
	read     fileSet           // as last read
	recent   bool              // read may hide a change that followed at once
	digest   [sha256.Size]byte // of what was read last
	failed   bool              // what was read last was refused
	warnings warnings          // about the last good state
}

// New makes a Follower.
func New[T any](opts Options[T]) *Follower[T] {
	if opts.Poll <= 0 {
		opts.Poll = defaultPoll
	}
	return &Follower[T]{opts: opts}
}

// Load reads the files for the first time. It returns what Convert returned for each
// object, in the order of the files.
func (f *Follower[T]) Load() ([]T, error) {
	ctx := context.Background()
	f.last = findFiles(f.opts.Paths)
	digest, err := f.last.digest(ctx)
	if f.note(f.last, digest); err != nil {
		return nil, err
	}
	return f.parse(ctx, f.last)
}

// Run follows the files until ctx ends, and gives changed all objects after each change.
func (f *Follower[T]) Run(ctx context.Context, changed func([]T)) {
	ticker := f.opts.Clock.NewTicker(f.opts.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
		if all, ok := f.Look(ctx); ok {
			changed(all)
		}
	}
}

// Look looks at the files once. It returns all objects if they have changed, and the files
// have not changed since the last look: before that they may be half written.
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
		f.digest = [sha256.Size]byte{} // it has not been used
		return nil, false
	}
	f.tell(err)
	return all, err == nil
}

// vanished reports whether a file went between the look and the reading. Then nothing is
// the matter, and the next look shows more.
func vanished(files fileSet, err error) bool {
	return files.err == nil && errors.Is(err, fs.ErrNotExist)
}

// tell writes a line if what has been read is refused, or is good again.
func (f *Follower[T]) tell(err error) {
	if err != nil {
		f.opts.Log.Errorf("manifests cannot be read, going on with what is known: %v", err)
		f.opts.Failed()
	} else if f.failed {
		f.opts.Log.Infof("manifests can be read again")
	}
	f.failed = err != nil
}

// note remembers which files have been read, and what they held.
func (f *Follower[T]) note(files fileSet, digest [sha256.Size]byte) {
	f.read, f.recent = files, files.changedSince(f.opts.Clock.Now().Add(-settling))
	f.digest = digest
}

// parse reads the files once more, now for their objects. Their text is never in memory as
// a whole.
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
	b.serviceImports = f.opts.ServiceImports
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
