package kube

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"strings"
	"time"

	"k8s.io/utils/clock"
)

// defaultPoll is the time between two looks at the files: a change shows after two
// of them. A look takes microseconds for each file. File systems that tell of changes
// do it for a mounted ConfigMap, a network folder and an editor in ways of their
// own, so one would have to look anyway.
const defaultPoll = 250 * time.Millisecond

// settling is how old a change of a file must be for its time of change to tell
// the next one. File systems count in coarse steps.
const settling = 2 * time.Second

// manifests is the source that follows files. It looks at them in an interval
// and reads them when something has changed. What cannot be read changes
// nothing: the last good state stays.
type manifests struct {
	paths []string
	feeds []*feed
	log   Logger
	count func() // counts failures
	clock clock.WithTicker
	poll  time.Duration

	last     look              // the look before
	read     look              // at what was read last
	young    bool              // read may hide a change that followed at once
	sum      [sha256.Size]byte // of what was read last
	failed   bool              // and it was no good
	findings findings          // in the last good state
}

func newManifests(cfg Config, feeds []*feed, opts Options) *manifests {
	return &manifests{
		paths: strings.Split(cfg.Manifests, "\n"),
		feeds: feeds,
		log:   opts.Log,
		count: opts.ManifestError,
		clock: opts.clock,
		poll:  opts.Poll,
	}
}

// load reads the manifests for the first time.
func (m *manifests) load() (change, error) {
	ctx := context.Background()
	m.last = lookAt(m.paths)
	sum, err := m.last.sum(ctx)
	if m.note(m.last, sum); err != nil {
		return nil, err
	}
	return m.parse(ctx, m.last)
}

func (m *manifests) run(ctx context.Context, out chan<- change) {
	ticker := m.clock.NewTicker(m.poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
		c := m.reread(ctx)
		if c == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case out <- c:
		}
	}
}

// reread is the change since the last time, or nil. Files are read only when
// they look the same for the second time, since they may be half written.
func (m *manifests) reread(ctx context.Context) change { return m.follow(ctx, lookAt(m.paths)) }

// follow is the change that a look brings.
func (m *manifests) follow(ctx context.Context, now look) change {
	settled := now.same(m.last)
	m.last = now
	if !settled || (now.same(m.read) && !m.young) {
		return nil
	}
	sum, err := now.sum(ctx)
	if ctx.Err() != nil || vanished(now, err) {
		return nil
	}
	before := m.sum
	if m.note(now, sum); sum == before {
		return nil
	}
	var c change
	if err == nil {
		c, err = m.parse(ctx, now)
	}
	if ctx.Err() != nil || vanished(now, err) {
		m.sum = [sha256.Size]byte{} // has not been used
		return nil
	}
	m.tell(err)
	return c
}

// vanished reports whether a file went between the look and the reading: then nothing is
// the matter but that there is more to see at the next look.
func vanished(l look, err error) bool { return l.err == nil && errors.Is(err, fs.ErrNotExist) }

// tell says that what has been read is no good, or is good again.
func (m *manifests) tell(err error) {
	if err != nil {
		m.log.Errorf("manifests cannot be read, going on with what is known: %v", err)
		m.count()
	} else if m.failed {
		m.log.Infof("manifests can be read again")
	}
	m.failed = err != nil
}

// note remembers which files have been read, and what they were.
func (m *manifests) note(l look, sum [sha256.Size]byte) {
	m.read, m.young = l, l.changedSince(m.clock.Now().Add(-settling))
	m.sum = sum
}

// parse reads the files of a look once more, now for what is in them: their text is
// never in memory as a whole.
func (m *manifests) parse(ctx context.Context, l look) (change, error) {
	processThrift.begin()
	defer processThrift.end()
	b := newBundle(m.feeds)
	if err := l.each(ctx, b.read); err != nil {
		return nil, err
	}
	for _, f := range l.others {
		b.findings.add(irregular, f.path, kindOf(f.info))
	}
	if err := b.check(l, m.paths); err != nil {
		return nil, err
	}
	b.finish()
	b.findings.warn(m.log, &m.findings)
	m.findings = b.findings
	return b.change(m.feeds), nil
}
