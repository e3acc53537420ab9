package xfr

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// secondaryTracker is a handler that stands before all others of a server block and
// sees which secondary is sent which serial.
//
// Serials are those of a process. Two replicas count the same seconds but see the
// changes of a cluster in different ones, so the serial that a secondary names may
// be another replica's, and the difference from our checkpoint of that serial
// would leave it with wrong records for good. What the secondary has is known
// only if it was sent from here. The transfer plugin does not tell who asks; the
// messages that pass do. So what a secondary may get is decided here, and the number of
// that grant takes the place of the serial in the question.
//
// A secondary is known by its address. Where it is behind another address with
// more of its kind, one may be taken for the other; it then is wrong only if both
// have got the same serial from different replicas.
type secondaryTracker struct {
	next    plugin.Handler
	primary *Primary
}

// Track returns the handler that has to stand before the plugin transfer.
func (p *Primary) Track(next plugin.Handler) plugin.Handler {
	return &secondaryTracker{next: next, primary: p}
}

// Name implements plugin.Handler.
func (*secondaryTracker) Name() string { return "clusterdns_transfer" }

// ServeDNS implements plugin.Handler.
func (t *secondaryTracker) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if len(r.Question) != 1 {
		return t.next.ServeDNS(ctx, w, r)
	}
	if qtype := r.Question[0].Qtype; qtype != dns.TypeAXFR && qtype != dns.TypeIXFR {
		return t.next.ServeDNS(ctx, w, r)
	}
	state := request.Request{W: w, Req: r}
	zones, o, ok := t.primary.find(state.Name())
	switch {
	case !ok:
		return t.next.ServeDNS(ctx, w, r)
	case state.Proto() == "udp":
		return t.serveDatagram(ctx, state, zones, o)
	case !streams(ctx):
		return dns.RcodeRefused, nil
	}
	return t.serveStream(ctx, state, o)
}

// streams reports whether a question came by TCP or TLS. CoreDNS sends one message only
// for a question that came by HTTPS, QUIC or gRPC, the last one of a transfer.
func streams(ctx context.Context) bool {
	server, ok := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok {
		return true
	}
	scheme, _, _ := strings.Cut(server.Addr, "://")
	return scheme == transport.DNS || scheme == transport.TLS
}

// serveDatagram answers a question for a difference with the SOA record alone, which
// has the secondary ask again over TCP (RFC 1995 2), where the transfer plugin refuses
// it because it came over UDP.
func (t *secondaryTracker) serveDatagram(ctx context.Context, state request.Request, zones Zones, o resolve.Origin) (int, error) {
	rec := &recordEmitter{ResponseWriter: state.W}
	code, err := t.next.ServeDNS(ctx, rec, state.Req)
	now := t.primary.Store.LoadCheckpoint()
	if code != dns.RcodeRefused || err != nil || rec.wrote || state.QType() != dns.TypeIXFR || !now.Synced() ||
		!t.primary.Policy.allows(o.String(), state.IP()) {
		return code, err
	}
	m := new(dns.Msg).SetReply(state.Req)
	m.Authoritative = true
	m.Answer = []dns.RR{zones.SOA(now, o)}
	return dns.RcodeSuccess, state.W.WriteMsg(m)
}

var errCut = errors.New("a plugin ahead lets only a part of the messages pass, as minimal does")

func (t *secondaryTracker) serveStream(ctx context.Context, state request.Request, o resolve.Origin) (int, error) {
	to := recipient{state.IP(), o.String()}
	r, rec := state.Req, &recordEmitter{ResponseWriter: state.W, journal: &t.primary.journal, to: to}
	if serial := serialOf(r); serial != 0 {
		number := t.primary.grants.add(grant{serial, t.primary.journal.sentTo(serial, to)})
		defer t.primary.grants.end(number)
		r = withSerial(r, number)
	}
	code, err := t.next.ServeDNS(ctx, rec, r)
	rec.end(err)
	if rec.cut && err == nil {
		err = fmt.Errorf("no transfer of %s to %s: %w", o, to.peer, errCut)
		t.primary.Warn(err.Error())
		return dns.RcodeServerFailure, err
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

func withSerial(r *dns.Msg, serial uint32) *dns.Msg {
	r = r.Copy()
	r.Ns[0].(*dns.SOA).Serial = serial
	return r
}

// recordEmitter sends the messages of a transfer and notes who has got it whole.
type recordEmitter struct {
	dns.ResponseWriter
	journal *journal // nil if nothing is to be noted
	to      recipient
	first   *dns.SOA
	records int
	wrote   bool // anything
	whole   bool // up to the last record, which is the first one again
	noted   bool // that it is whole
	cut     bool // it did not begin with its beginning
}

// WriteMsg implements dns.ResponseWriter. That the secondary has a serial is noted before
// its last message is sent: it may ask for the difference before this function returns.
func (e *recordEmitter) WriteMsg(m *dns.Msg) error {
	if e.observe(m.Answer); e.cut {
		return errCut
	}
	e.wrote = true
	if e.whole && e.journal != nil {
		e.noted = e.journal.sent(e.first.Serial, e.to) || e.noted
	}
	err := e.ResponseWriter.WriteMsg(m)
	if err != nil {
		e.end(err)
	}
	return err
}

// observe looks at how a transfer begins and ends. One SOA record alone is no transfer.
func (e *recordEmitter) observe(records []dns.RR) {
	if len(records) == 0 {
		return
	}
	if e.records += len(records); e.first == nil {
		if e.first, _ = records[0].(*dns.SOA); e.first == nil {
			e.cut = true
			return
		}
	}
	last, ok := records[len(records)-1].(*dns.SOA)
	e.whole = ok && e.records > 1 && last.Serial == e.first.Serial
}

// end takes back what was noted if the transfer has not come to its end.
func (e *recordEmitter) end(err error) {
	if e.noted && (err != nil || !e.whole) {
		e.journal.forget(e.first.Serial, e.to)
		e.noted = false
	}
}
