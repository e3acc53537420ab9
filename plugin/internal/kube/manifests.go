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
	m.last = lookAt(m.paths)
	texts, err := m.last.read()
	m.note(m.last, texts, err)
	return m.parse(texts, err)
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
		c := m.reread()
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
func (m *manifests) reread() change { return m.follow(lookAt(m.paths)) }

// follow is the change that a look brings. A file may vanish between the look and the
// reading: then nothing is the matter but that there is more to see at the next look.
func (m *manifests) follow(now look) change {
	settled := now.same(m.last)
	m.last = now
	if !settled || (now.same(m.read) && !m.young) {
		return nil
	}
	texts, err := now.read()
	if now.err == nil && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	before := m.sum
	if m.note(now, texts, err); m.sum == before {
		return nil
	}
	c, err := m.parse(texts, err)
	if err != nil {
		m.log.Errorf("manifests cannot be read, going on with what is known: %v", err)
		m.count()
	} else if m.failed {
		m.log.Infof("manifests can be read again")
	}
	m.failed = err != nil
	return c
}

// note remembers which files have been read, and what they were.
func (m *manifests) note(l look, texts []text, err error) {
	m.read, m.young = l, l.changedSince(m.clock.Now().Add(-settling))
	m.sum = sumOf(texts, err)
}

func (m *manifests) parse(texts []text, err error) (change, error) {
	if err != nil {
		return nil, err
	}
	b, err := parseBundle(texts)
	if err != nil {
		return nil, err
	}
	b.findings.warn(m.log, &m.findings)
	m.findings = b.findings
	return b.change(m.feeds), nil
}
