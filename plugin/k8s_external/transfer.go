package external

import (
	"errors"

	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/clusterdns"
	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

var errNotSynced = errors.New("no transfer before the first sync")

// Transfer is for the transfer plugin, which finds it by its form. It reads one checkpoint, so that a
// serial always means the same records. A secondary that is behind gets the whole
// zone: it is small.
func (e *External) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	o, ok := e.transferred(name)
	if !ok {
		return nil, transfer.ErrNotAuthoritative
	}
	now := e.cluster.Store().LoadCheckpoint()
	if !now.Synced() {
		return nil, errNotSynced
	}
	soa := e.view.SOA(now, o)
	if serial != 0 && !behind(serial, now.Serial()) {
		return clusterdns.StreamZone(soa, nil), nil
	}
	return clusterdns.StreamZone(soa, e.view.Transfer(now, o)), nil
}

// behind compares serials (RFC 1982 3.2).
func behind(serial, now uint32) bool { return int32(serial-now) < 0 }

// transferred is the origin that may be transferred under a name. No secondary
// gets a reverse zone, since its names are not all ours.
func (e *External) transferred(name string) (zone.Origin, bool) {
	for _, o := range e.view.Origins {
		if o.String() == name && !o.Reverse() {
			return o, true
		}
	}
	return zone.Origin{}, false
}
