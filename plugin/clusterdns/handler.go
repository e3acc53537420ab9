package clusterdns

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
	"github.com/coredns/coredns/plugin/pkg/fall"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/metrics"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// upstreamer looks up a name outside our zones, through the whole server.
type upstreamer interface {
	Lookup(ctx context.Context, state request.Request, name string, typ uint16) (*dns.Msg, error)
}

// ClusterDNS is the handler of one server block.
type ClusterDNS struct {
	Next      plugin.Handler
	name      string // the directive's word
	view      resolve.View
	fall      fall.F
	upstream  upstreamer
	search    searchPath
	completer *completion.Completer  // nil if nothing is to be completed
	store     *cluster.Store         // set at start-up
	restamp   func() <-chan struct{} // gives what is in the store another serial
	primary   *xfr.Primary
	started   atomic.Bool // and that it is, for those who may ask before
	listening atomic.Bool // CoreDNS has begun to open the sockets
	answers   *metrics.ServerCounters

	limitsForeign bool // the size of replies to foreign clients; set at start-up

	cache             *cache.Cache // that stands ahead in the server block, or nil
	holders           []Holder     // the handlers of the server block that may bypass it
	cacheServesOthers bool         // for names that we deny
}

// Name implements plugin.Handler. It is the word that the Corefile uses, so that
// metrics and look-ups by name stay what they were.
func (d *ClusterDNS) Name() string { return d.name }

// Ready implements ready.Readiness. Once synced it stays ready: without its API
// server a DNS server still answers, and all replicas would leave the Service at once.
// CoreDNS opens the port after all plugins have started; who is ready before gets
// questions that nobody hears.
func (d *ClusterDNS) Ready() bool {
	return d.started.Load() && d.listening.Load() && d.store.Load().Synced()
}

// ServeDNS implements plugin.Handler.
func (d *ClusterDNS) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	undo := d.LimitReply(w, r)
	m, verdict := d.answer(ctx, w, r)
	switch verdict {
	case Pass:
		undo()
		if !udp.WillBlock(ctx) { // no plugin ahead has the answer, and those behind may wait
			return dns.RcodeServerFailure, nil
		}
		return plugin.NextOrFailure(d.Name(), d.Next, ctx, w, r)
	case passToCache:
		undo()
		return d.cache.ServeDNS(completion.AsItStands(ctx), w, r)
	case Refuse:
		return dns.RcodeRefused, nil
	}
	return dns.RcodeSuccess, w.WriteMsg(m)
}

// questions are memory for names, which nothing that is made of them keeps.
var questions = sync.Pool{New: func() any { return new(answer.Question) }}

// answer is the reply to a question, if the verdict is that there is one.
func (d *ClusterDNS) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (*dns.Msg, Verdict) {
	q := questions.Get().(*answer.Question)
	defer questions.Put(q)
	qname, qtype := questionOf(r)
	name, err := q.ParseText(qname)
	if err != nil {
		return nil, Pass
	}
	snapshot := d.store.Load()
	room := LimitsFor(w, r)
	a := answer.Lookup(&d.view, snapshot, name, qtype, room)
	if d.completer != nil && a.Result == resolve.NXDomain && len(a.Records) == 0 {
		q := completion.Question{State: request.Request{W: w, Req: r}, Snapshot: snapshot, Name: name, Room: room, Denial: a.Authority}
		if m := d.completer.Complete(ctx, q); m != nil {
			return m, Answer
		}
		if d.cache != nil && d.completer.Searched(ctx, &q.State, name) && through(d.fall, qname) {
			return nil, passToCache
		}
	}
	if verdict := d.Decide(ctx, d.fall, qname, qtype, &a); verdict != Answer {
		return nil, verdict
	}
	return d.Reply(ctx, w, r, &a), Answer
}

// optSize is the size of an OPT record without options (RFC 6891 6.1.2).
const optSize = 11

// LimitsFor is what a client takes. CoreDNS cuts replies to it when plugins ahead are done
// with them; those that shorten a reply can tell by TC that there was more.
func LimitsFor(w dns.ResponseWriter, r *dns.Msg) answer.Limits {
	state := request.Request{W: w, Req: r}
	room := answer.Limits{Size: max(dns.MinMsgSize, state.Size())}
	if r.IsEdns0() != nil {
		room.Reserved = optSize
	}
	return room
}

// questionOf is what a message asks for: of one without a question, the root.
func questionOf(r *dns.Msg) (qname string, qtype uint16) {
	if len(r.Question) == 0 {
		return ".", dns.TypeNone
	}
	return r.Question[0].Name, r.Question[0].Qtype
}

// fallsThrough reports whether the next plugin may know the name. What an alias
// leads to may be known to it as well: then the answer is to be completed.
func fallsThrough(f fall.F, qname string, a *answer.Answer) bool {
	if a.Result != resolve.NXDomain {
		return false
	}
	if len(a.Records) == 0 {
		return through(f, qname)
	}
	last := a.Records[len(a.Records)-1].(*dns.CNAME).Target
	if through(f, last) {
		a.Result, a.Target, a.Authority = resolve.FollowTarget, last, nil
	}
	return false
}

// through is fall.F.Through, which takes each name apart, for any letter case.
func through(f fall.F, name string) bool {
	if strings.IndexByte(name, '\\') >= 0 {
		return f.Through(strings.ToLower(dns.Name(name).String()))
	}
	for _, origin := range f.Zones {
		at := len(name) - len(origin)
		if origin == "." || at >= 0 && strings.EqualFold(name[at:], origin) && (at == 0 || name[at-1] == '.') {
			return true
		}
	}
	return false
}

// rcodes are the response codes of the results that have one of their own. An answer
// that is to be completed takes its code from what completes it.
var rcodes = [...]int{
	resolve.NXDomain:     dns.RcodeNameError,
	resolve.NotReady:     dns.RcodeServerFailure,
	resolve.FollowTarget: dns.RcodeSuccess,
}

// message turns an answer into a message. The message and its question are one piece
// of memory.
func message(r *dns.Msg, a *answer.Answer) *dns.Msg {
	piece := new(struct {
		dns.Msg
		question [1]dns.Question
	})
	m := &piece.Msg
	m.MsgHdr = dns.MsgHdr{Id: r.Id, Response: true, Opcode: r.Opcode, Authoritative: true, Rcode: rcodes[a.Result]}
	if r.Opcode == dns.OpcodeQuery {
		m.RecursionDesired, m.CheckingDisabled = r.RecursionDesired, r.CheckingDisabled
	}
	if len(r.Question) > 0 {
		piece.question[0] = r.Question[0]
		m.Question = piece.question[:]
	}
	m.Truncated, m.Answer, m.Ns, m.Extra = a.Truncated, a.Records, a.Authority, a.Extra
	return m
}

// complete adds what an alias leads to outside our zones. The last name decides
// the response code (RFC 6604 3), and one without the type has the SOA record
// (RFC 2308 2.2). Where the server answers for no such name at all, the aliases
// alone are the answer, and the client goes on from there.
func (d *ClusterDNS) complete(ctx context.Context, state request.Request, m *dns.Msg, target string) {
	up, err := d.upstream.Lookup(ctx, state, target, state.QType())
	if err != nil || up == nil {
		m.Rcode = dns.RcodeServerFailure
		return
	}
	if up.Rcode == dns.RcodeRefused {
		return
	}
	m.Rcode = up.Rcode
	m.Truncated = m.Truncated || up.Truncated
	m.Answer = append(m.Answer, up.Answer...)
	if up.Rcode != dns.RcodeSuccess || m.Answer[len(m.Answer)-1].Header().Rrtype == dns.TypeCNAME {
		m.Ns = soas(up.Ns)
	}
}

// soas are the records that make an answer negative (RFC 2308 2).
func soas(rrs []dns.RR) []dns.RR {
	var kept []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeSOA {
			kept = append(kept, rr)
		}
	}
	return kept
}
