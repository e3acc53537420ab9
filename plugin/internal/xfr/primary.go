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
	// batchSize is how many records are made before they are handed over: enough
	// that handing over costs nothing, few enough that the zone is never held whole.
	batchSize = 256
	// firstSerial is longer than it takes from the sync, or the end of a reload, until
	// there is a serial for what is there.
	firstSerial = 3 * time.Second
)

var errNotSynced = errors.New("no transfer before the first sync")

// Primary gives the zones of one server block away. Its zero value is ready to be
// filled; all of its fields must be set before the server block serves.
type Primary struct {
	Store  *cluster.Store
	Policy Policy
	// Renewed is closed when the data has a serial that no instance before this one
	// has sent. It is nil if there was none.
	Renewed <-chan struct{}
	Warn    func(text string)

	served  []served
	journal journal
	grants  grants
}

// served are the zones of one handler.
type served struct {
	zones   Zones
	origins []resolve.Origin
}

// Serve adds the zones of a handler to those that are given away.
func (p *Primary) Serve(zones Zones, origins []resolve.Origin) {
	p.served = append(p.served, served{zones, origins})
}

// origins are the names of all zones that are given away.
func (p *Primary) origins() []string {
	var names []string
	for _, s := range p.served {
		for _, o := range s.origins {
			if !o.Reverse() {
				names = append(names, o.String())
			}
		}
	}
	return names
}

// find returns the zone that is given away under a name. No secondary gets a reverse
// zone: its names are not all ours, most Corefiles claim all of in-addr.arpa and let
// the rest fall through, and a secondary could not.
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

// Transfer returns the records of one zone, as the plugin transfer wants them from a
// handler with these zones. The whole of them is of one checkpoint.
//
// The serial is not believed: the plugin does not tell whose it is. It counts only if it
// is the number of a grant, which secondaryTracker has put in its place.
func (p *Primary) Transfer(of Zones, name string, serial uint32) (<-chan []dns.RR, error) {
	zones, o, ok := p.find(name)
	if !ok || zones != of {
		return nil, transfer.ErrNotAuthoritative
	}
	now := p.lastCheckpoint()
	if !now.Synced() {
		return nil, errNotSynced
	}
	p.journal.keep(now)
	soa, granted := zones.SOA(now, o), p.grants.find(serial)
	switch before := granted.before; {
	case granted.upToDate(now.Serial()):
		return stream(soa, slices.Values[[]dns.RR](nil)), nil
	case before == nil || before.RetainedObjects(now) > maxDistance:
		return stream(soa, recordsOf(zones, now, o), soa), nil
	default:
		return stream(soa, increment(zones, before, now, o), soa), nil
	}
}

// lastCheckpoint is the last checkpoint. A store that has just been synced is about to
// make its first, and one that has just been reloaded its next.
func (p *Primary) lastCheckpoint() *cluster.Snapshot {
	if p.Renewed != nil {
		awaitSerial(p.Renewed)
	}
	next := p.Store.NextCheckpoint()
	if !p.Store.LoadCheckpoint().Synced() && p.Store.Load().Synced() {
		awaitSerial(next)
	}
	return p.Store.LoadCheckpoint()
}

func awaitSerial(made <-chan struct{}) {
	select {
	case <-made:
	case <-time.After(firstSerial):
	}
}

// increment is what stands between the first and the last SOA record of an
// incremental transfer (RFC 1995 4), as one step from before to now.
func increment(zones Zones, before, now *cluster.Snapshot, o resolve.Origin) iter.Seq[dns.RR] {
	removed, added := difference(zones, before, now, o)
	return slices.Values(slices.Concat(
		[]dns.RR{zones.SOA(before, o)}, removed,
		[]dns.RR{zones.SOA(now, o)}, added,
	))
}

// difference returns what makes the records of an origin in one snapshot those in
// another, each list in the order of a transfer. No record is in both lists. The
// snapshots must be of one store: what they share is not looked at.
func difference(z Zones, before, after *cluster.Snapshot, o resolve.Origin) (removed, added []dns.RR) {
	keys := cluster.ChangedServices(before, after, o.ClusterSet)
	some := func(s *cluster.Snapshot) []dns.RR {
		return slices.Collect(func(yield func(dns.RR) bool) { z.Walk(s, o, keys, yield) })
	}
	was, is := some(before), some(after)
	return without(was, is), without(is, was)
}

// without are the records that are in a but not in b.
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

// stream hands records over in batches. It needs no way to be stopped: the
// transfer plugin reads to the end, even if the secondary has gone.
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
