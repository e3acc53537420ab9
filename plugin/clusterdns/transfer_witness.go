package clusterdns

import (
	"context"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// witness is a handler that stands before all others of a server block and sees
// which secondary is sent which serial.
//
// Serials are those of a process. Two replicas count the same seconds but see the
// changes of a cluster in different ones, so the serial that a secondary names may
// be another replica's, and the difference from our checkpoint of that serial
// would leave it with wrong records for good. What the secondary has is known
// only if it was sent from here. The transfer plugin does not tell who asks; the
// messages that pass do. So the question of a secondary that was
// never sent the serial is changed to name none, which asks for the whole zone.
//
// A secondary is known by its address. Where it is behind another address with
// more of its kind, one may be taken for the other; it then is wrong only if both
// have got the same serial from different replicas.
type witness struct {
	next plugin.Handler
	d    *ClusterDNS
}

// Name implements plugin.Handler.
func (*witness) Name() string { return "clusterdns_transfer" }

// ServeDNS implements plugin.Handler.
func (h *witness) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	deepenStack(false)
	if _, qtype := questionOf(r); qtype != dns.TypeAXFR && qtype != dns.TypeIXFR {
		return h.next.ServeDNS(ctx, w, r)
	}
	return h.serveTransfer(ctx, w, r)
}

func (h *witness) serveTransfer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	state := request.Request{W: w, Req: r}
	o, ok := transferred(h.d.transfers(), state.Name())
	if !ok {
		return h.next.ServeDNS(ctx, w, r)
	}
	to := recipient{state.IP(), o.String()}
	if serial := serialOf(r); serial != 0 && !h.d.journal.has(serial, to) {
		r = withoutSerial(r)
	}
	rec := &recorder{ResponseWriter: w}
	code, err := h.next.ServeDNS(ctx, rec, r)
	if serial, whole := rec.serial(); whole && err == nil {
		h.d.journal.sent(serial, to)
	}
	return code, err
}

// serialOf is the serial that the question for an incremental transfer names, or
// 0 (RFC 1995 3).
func serialOf(r *dns.Msg) uint32 {
	if len(r.Ns) != 1 {
		return 0
	}
	if soa, ok := r.Ns[0].(*dns.SOA); ok {
		return soa.Serial
	}
	return 0
}

func withoutSerial(r *dns.Msg) *dns.Msg {
	r = r.Copy()
	r.Ns[0].(*dns.SOA).Serial = 0
	return r
}

// recorder notes how a transfer begins and ends.
type recorder struct {
	dns.ResponseWriter
	first, last dns.RR
	failed      bool
}

// WriteMsg implements dns.ResponseWriter.
func (w *recorder) WriteMsg(m *dns.Msg) error {
	if n := len(m.Answer); n > 0 {
		if w.first == nil {
			w.first = m.Answer[0]
		}
		w.last = m.Answer[n-1]
	}
	err := w.ResponseWriter.WriteMsg(m)
	w.failed = w.failed || err != nil
	return err
}

// serial is what was sent, if it was sent to the end: that is the SOA record that
// it began with.
func (w *recorder) serial() (serial uint32, whole bool) {
	first, ok := w.first.(*dns.SOA)
	last, same := w.last.(*dns.SOA)
	if !ok || !same || w.failed {
		return 0, false
	}
	return first.Serial, first.Serial == last.Serial
}
