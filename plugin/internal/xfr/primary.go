package xfr

import (
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const (
	// batchSize is how many records are passed on at once: enough to cost little, and few
	// enough that the whole zone is never in memory.
	batchSize = 256
	// firstSerial is longer than the time from the sync to a serial for the data.
	firstSerial = 3 * time.Second
	// reloadSerial is longer than most reloads take to end: CoreDNS gives the connections of each
	// listener of the instance before five seconds.
	reloadSerial = 12 * time.Second
)

var (
	errNotSynced  = errors.New("no transfer before the first sync")
	errNotRenewed = errors.New("no transfer before the reload has ended")
	errEnded      = errors.New("no transfer after a reload from the configuration before it")
)

// Primary sends the zones of one server block to secondaries. All of its fields must be set
// before the server block serves.
type Primary struct {
	Store  *cluster.Store
	Policy Policy
	// Renewed is closed when the data has a serial that no earlier instance has sent. It is
	// nil if there was no earlier instance.
	Renewed <-chan struct{}
	// Ended is closed when the instance has ended, before the next one gets a serial of its own. It
	// is nil if that never happens.
	Ended <-chan struct{}
	Warn  func(text string)

	served  []served
	journal journal
	grants  grants
}

// served are the zones of one handler.
type served struct {
	zones   Zones
	origins []resolve.Origin
}

// Serve adds the zones of a handler.
func (p *Primary) Serve(zones Zones, origins []resolve.Origin) {
	p.served = append(p.served, served{zones, origins})
}

// names returns the names of the zones that can be transferred.
func (s *served) names() (names []string) {
	for _, o := range s.origins {
		if !o.Reverse() {
			names = append(names, o.String())
		}
	}
	return names
}

// find returns the zone with a name, if it can be transferred. Reverse zones cannot: not
// all of their names are ours. Most Corefiles claim all of in-addr.arpa and let other names
// fall through, which a secondary could not do.
func (p *Primary) find(name string) (Zones, resolve.Origin, bool) {
	for _, s := range p.served {
		for _, o := range s.origins {
			if o.String() == name && !o.Reverse() {
				return s.zones, o, true
			}
		}
	}
	return nil, resolve.Origin{}, false
}

// Transfer returns the records of one zone, as the plugin transfer requests them from a
// handler with these zones. All of them are of one checkpoint.
//
// The serial alone is not trusted, because the plugin does not say whose it is. It counts
// only if it is the number of a grant, which secondaryTracker has put in its place.
func (p *Primary) Transfer(of Zones, name string, serial uint32) (<-chan []dns.RR, error) {
	zones, o, ok := p.find(name)
	if !ok || zones != of {
		return nil, transfer.ErrNotAuthoritative
	}
	now, err := p.lastCheckpoint(zones)
	if err != nil {
		return nil, err
	}
	p.journal.keep(now)
	soa, granted := zones.SOA(now, o, o.String()), p.grants.find(serial)
	switch before := granted.before; {
	case granted.upToDate(now.Serial()):
		return stream(soa, slices.Values[[]dns.RR](nil)), nil
	case before == nil || before.RetainedObjects(now) > maxDistance:
		return stream(soa, recordsOf(zones, now, o), soa), nil
	default:
		return stream(soa, increment(zones, before, now, o), soa), nil
	}
}

// lastCheckpoint returns the last checkpoint. It waits a moment for the first one that has all that
// the zones show, or for the next one after a reload: without that, one serial would have two
// meanings.
func (p *Primary) lastCheckpoint(z Zones) (*cluster.Snapshot, error) {
	if !z.Ready(p.Store.Load()) {
		return nil, errNotSynced
	}
	if p.Renewed != nil && !awaitSerial(p.Renewed, reloadSerial) {
		return nil, errNotRenewed
	}
	next := p.Store.NextCheckpoint()
	if !z.Ready(p.Store.LoadCheckpoint()) && z.Ready(p.Store.Load()) {
		awaitSerial(next, firstSerial)
	}
	now := p.Store.LoadCheckpoint()
	select {
	case <-p.Ended: // the checkpoint may be one that the next instance sends
		return nil, errEnded
	default:
	}
	if !z.Ready(now) {
		return nil, errNotSynced
	}
	return now, nil
}

// awaitSerial reports whether a serial was made in time.
func awaitSerial(made <-chan struct{}, long time.Duration) bool {
	select {
	case <-made:
		return true
	case <-time.After(long):
		return false
	}
}

// increment iterates over the records between the first and the last SOA record of an
// incremental transfer (RFC 1995 4), as one step from before to now.
func increment(zones Zones, before, now *cluster.Snapshot, o resolve.Origin) iter.Seq[dns.RR] {
	removed, added := difference(zones, before, now, o)
	return slices.Values(slices.Concat(
		[]dns.RR{zones.SOA(before, o, o.String())}, removed,
		[]dns.RR{zones.SOA(now, o, o.String())}, added,
	))
}

// difference returns the records of an origin to remove from one snapshot and to add to it
// to get another, each list in the order of a transfer. No record is in both lists. The
// snapshots must be of one store: parts that they share are not looked at.
func difference(z Zones, before, after *cluster.Snapshot, o resolve.Origin) (removed, added []dns.RR) {
	some := func(s *cluster.Snapshot) []dns.RR {
		return slices.Collect(func(yield func(dns.RR) bool) { z.Walk(s, o, Part{before, after}, yield) })
	}
	was, is := some(before), some(after)
	return without(was, is), without(is, was)
}

// without returns the records that are in a but not in b.
func without(a, b []dns.RR) []dns.RR {
	there := make(map[string]struct{}, len(b))
	for _, rr := range b {
		there[rr.String()] = struct{}{}
	}
	var rest []dns.RR
	for _, rr := range a {
		if _, ok := there[rr.String()]; !ok {
			rest = append(rest, rr)
		}
	}
	return rest
}

// stream passes records on in batches. It needs no way to stop, because the plugin transfer
// reads to the end even if the secondary is gone.
func stream(first dns.RR, rest iter.Seq[dns.RR], last ...dns.RR) <-chan []dns.RR {
	ch := make(chan []dns.RR)
	go func() {
		defer close(ch)
		batch := []dns.RR{first}
		for rr := range rest {
			if batch = append(batch, rr); len(batch) == batchSize {
				ch <- batch
				batch = make([]dns.RR, 0, batchSize)
			}
		}
		ch <- append(batch, last...)
	}()
	return ch
}
