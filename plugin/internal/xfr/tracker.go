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

// secondaryTracker is a handler before all others of a server block. It records which
// serial is sent to which secondary.
//
// A serial has a meaning within one process only. Two replicas count the same seconds but
// see a change of the cluster in different ones. So the serial in a secondary's question
// may be another replica's, and a difference from our checkpoint with that serial would
// leave the secondary with wrong records for good. What a secondary has is known only if we
// have sent it. The plugin transfer does not name the client, but the messages that pass
// through this handler do. So this handler decides what a secondary may get, and replaces
// the serial in the question by the number of that grant.
//
// A secondary is identified by its address. If several share one address behind NAT, one
// may be taken for another. That does harm only if both have got the same serial from
// different replicas.
type secondaryTracker struct {
	next    plugin.Handler
	primary *Primary
}

// Track returns the handler that must come before the plugin transfer.
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

// streams reports whether a question came over TCP or TLS. Over HTTPS, QUIC or gRPC,
// CoreDNS sends only one message per question, the last one of a transfer.
func streams(ctx context.Context) bool {
	server, ok := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok {
		return true
	}
	scheme, _, _ := strings.Cut(server.Addr, "://")
	return scheme == transport.DNS || scheme == transport.TLS
}

// serveDatagram answers a question for a difference with the SOA record alone, so that the
// secondary asks again over TCP (RFC 1995 2). The plugin transfer would refuse it because
// it came over UDP.
func (t *secondaryTracker) serveDatagram(ctx context.Context, state request.Request, zones Zones, o resolve.Origin) (int, error) {
	m := new(dns.Msg).SetReply(state.Req) // before rewrite changes the question
	rec := &recordEmitter{ResponseWriter: state.W}
	code, err := t.next.ServeDNS(ctx, rec, state.Req)
	now := t.primary.Store.LoadCheckpoint()
	if code != dns.RcodeRefused || err != nil || rec.wrote || state.QType() != dns.TypeIXFR || !zones.Ready(now) ||
		!t.primary.Policy.allows(o.String(), state.IP()) {
		return code, err
	}
	m.Authoritative = true
	m.Answer = []dns.RR{zones.SOA(now, o, m.Question[0].Name)}
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

// serialOf returns the serial in a question for an incremental transfer (RFC 1995 3), or 0.
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

// recordEmitter sends the messages of a transfer and records who has got all of it.
type recordEmitter struct {
	dns.ResponseWriter
	journal *journal // nil if nothing is to be recorded
	to      recipient
	first   *dns.SOA
	records int
	wrote   bool // something has been sent
	whole   bool // the last record has passed, which is the first one again
	noted   bool // recorded as whole
	cut     bool // its first record was missing
}

// WriteMsg implements dns.ResponseWriter. It records that the secondary has a serial before
// it sends the last message, because the secondary may ask for the difference before this
// function returns.
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

// observe checks how a transfer begins and ends. A single SOA record is not a transfer.
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

// end removes the record if the transfer has not reached its end.
func (e *recordEmitter) end(err error) {
	if e.noted && (err != nil || !e.whole) {
		e.journal.forget(e.first.Serial, e.to)
		e.noted = false
	}
}
