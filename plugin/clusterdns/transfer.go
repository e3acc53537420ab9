package clusterdns

import (
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// transferBatch is how many records are made before they are handed over: enough
// that handing over costs nothing, few enough that the zone is never held whole.
const transferBatch = 256

// firstSerial is longer than it takes from the sync, or the end of a reload, until
// there is a serial for what is there.
const firstSerial = 3 * time.Second

var errNotSynced = errors.New("no transfer before the first sync")

// Transfer is what the transfer plugin calls.
func (d *ClusterDNS) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	return d.TransferOf(&d.view, d.view.Origins, name, serial)
}

// Zones are the records of zones, as a zone.View or a zone.ExternalView has them.
type Zones interface {
	SOA(s *zone.Snapshot, o zone.Origin) dns.RR
	Transfer(s *zone.Snapshot, o zone.Origin) iter.Seq[dns.RR]
	Difference(before, after *zone.Snapshot, o zone.Origin) zone.Difference
}

// TransferOf transfers one of the origins. It reads one checkpoint, so that a
// serial always means the same records.
//
// A serial other than 0 is one that this server block has sent to the secondary
// that asks: witness sees to that. It gets the difference (RFC 1995), as one step
// from there to now, or the whole zone if the journal does not reach back so far.
func (d *ClusterDNS) TransferOf(zones Zones, origins []zone.Origin, name string, serial uint32) (<-chan []dns.RR, error) {
	o, ok := transferred(origins, name)
	if !ok {
		return nil, transfer.ErrNotAuthoritative
	}
	now := d.lastCheckpoint()
	if !now.Synced() {
		return nil, errNotSynced
	}
	before := d.journal.load(serial)
	d.journal.keep(now)
	soa := zones.SOA(now, o)
	switch {
	case before == nil || before.Distance(now) > maxDistance:
		return stream(soa, zones.Transfer(now, o), soa), nil
	case before.Serial() == now.Serial():
		return stream(soa, slices.Values[[]dns.RR](nil)), nil
	}
	return stream(soa, increment(zones, before, now, o), soa), nil
}

// lastCheckpoint is the last checkpoint. A store that has just been synced is about to
// make its first, and one that has just been reloaded its next.
func (d *ClusterDNS) lastCheckpoint() *zone.Snapshot {
	if d.restamped != nil {
		awaitSerial(d.restamped)
	}
	next := d.store.NextCheckpoint()
	if !d.store.LoadCheckpoint().Synced() && d.store.Load().Synced() {
		awaitSerial(next)
	}
	return d.store.LoadCheckpoint()
}

func awaitSerial(made <-chan struct{}) {
	select {
	case <-made:
	case <-time.After(firstSerial):
	}
}

// transferred is the origin that may be transferred under a name. No secondary
// gets a reverse zone: its names are not all ours, most Corefiles claim all of
// in-addr.arpa and let the rest fall through, and a secondary could not.
func transferred(origins []zone.Origin, name string) (zone.Origin, bool) {
	for _, o := range origins {
		if o.String() == name && !o.Reverse() {
			return o, true
		}
	}
	return zone.Origin{}, false
}

// increment is what stands between the first and the last SOA record of an
// incremental transfer (RFC 1995 4).
func increment(zones Zones, before, now *zone.Snapshot, o zone.Origin) iter.Seq[dns.RR] {
	difference := zones.Difference(before, now, o)
	return slices.Values(slices.Concat(
		[]dns.RR{zones.SOA(before, o)}, difference.Removed,
		[]dns.RR{zones.SOA(now, o)}, difference.Added,
	))
}

// stream hands records over in batches. It needs no way to be stopped: the
// transfer plugin reads to the end, even if the secondary has gone.
func stream(first dns.RR, rest iter.Seq[dns.RR], last ...dns.RR) <-chan []dns.RR {
	ch := make(chan []dns.RR)
	go func() {
		defer close(ch)
		batch := []dns.RR{first}
		for rr := range rest {
			if batch = append(batch, rr); len(batch) == transferBatch {
				ch <- batch
				batch = make([]dns.RR, 0, transferBatch)
			}
		}
		ch <- append(batch, last...)
	}()
	return ch
}
