package clusterdns

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/metrics"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// upstreamer looks up a name outside our zones, through the whole server.
type upstreamer interface {
	Lookup(ctx context.Context, state request.Request, name string, typ uint16) (*dns.Msg, error)
}

// ClusterDNS is the handler of one server block.
type ClusterDNS struct {
	Next      plugin.Handler
	directive string // name of the directive in the Corefile
	view      resolve.View
	fall      dnsname.Zones // zones in which the next plugin may know a name
	upstream  upstreamer
	search    searchPath
	completer *completion.Completer // nil if nothing is completed
	primary   *xfr.Primary
	gate      *chain.CacheGate
	answers   *metrics.ServerCounters
	noAAAA    silencer
	asked     *top.Counter // nil if nobody wants to know who asks what

	// The fields below are not known before the server block starts.
	store   *cluster.Store
	heard   func() int64           // returns when the API server was last heard of
	restamp func() <-chan struct{} // gives the store's data another serial
	limit   chain.ReplyLimit
	bare    bool // the plugin minimal drops additional sections
	// upstreams are the places of questions in the plugins after this one. It is nil if
	// there is no limit.
	upstreams *fair.Places

	started   atomic.Bool // store is set
	listening atomic.Bool // CoreDNS has begun to open the sockets
}

// Name implements plugin.Handler. It is the directive in the Corefile, so that metrics and
// look-ups by name do not change.
func (d *ClusterDNS) Name() string { return d.directive }

// Ready implements ready.Readiness. Once synced it stays ready: without its API server a
// DNS server still answers, and otherwise all replicas would leave the Service at the same
// time. It is not ready before CoreDNS opens its sockets, which happens after all plugins
// have started: earlier questions would be lost.
func (d *ClusterDNS) Ready() bool {
	return d.started.Load() && d.listening.Load() && d.store.Load().Synced()
}

// ServeDNS implements plugin.Handler.
func (d *ClusterDNS) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	undo := d.limitReply(w, r)
	m, disposition := d.answer(ctx, w, r)
	switch disposition {
	case Pass:
		undo()
		return d.pass(ctx, w, r)
	case passToCache:
		undo()
		return d.gate.Cache().ServeDNS(completion.AsItStands(ctx), w, r)
	case Refuse:
		return dns.RcodeRefused, nil
	}
	return dns.RcodeSuccess, w.WriteMsg(m)
}

// questions are memory for names, which nothing may keep after the answer.
var questions = sync.Pool{New: func() any { return new(answer.Question) }}

// answer returns the reply to a question and, if there is none, what to do instead.
func (d *ClusterDNS) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (*dns.Msg, Disposition) {
	q := questions.Get().(*answer.Question)
	defer questions.Put(q)
	qname, qtype := questionOf(r)
	name, err := q.ParseText(qname)
	if err != nil {
		return nil, Pass
	}
	snapshot := d.store.Load()
	limits := d.LimitsFor(w, r)
	a := answer.Lookup(&d.view, snapshot, name, qtype, limits)
	if d.completer != nil && a.Result == resolve.NXDomain && len(a.Records) == 0 {
		q := completion.Question{State: request.Request{W: w, Req: r}, Snapshot: snapshot, Name: name, Limits: limits, Denial: a.Authority}
		if m := d.completer.Complete(ctx, q); m != nil {
			return m, Answer
		}
		if d.gate.Cache() != nil && d.completer.Searched(ctx, &q.State, name) && d.fall.Enclose(name) {
			return nil, passToCache
		}
	}
	if a.Result == resolve.OutOfZone && d.noAAAA.silences(snapshot, r) {
		if m := d.withoutAAAA(ctx, w, r); m != nil {
			return m, Answer
		}
	}
	if disposition := d.Decide(ctx, d.fall, name, qtype, &a); disposition != Answer {
		return nil, disposition
	}
	return d.Reply(ctx, w, r, &a), Answer
}

// Covers implements chain.Source. A searched name is ours, whatever the search finds: the
// cache knows at most what others answer to the name as it stands.
func (d *ClusterDNS) Covers(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) chain.Coverage {
	q := questions.Get().(*answer.Question)
	defer questions.Put(q)
	qname, qtype := questionOf(r)
	name, err := q.ParseText(qname)
	if err != nil {
		return chain.CoversNothing
	}
	result, last := d.view.Outcome(d.store.Load(), name, qtype)
	if result == resolve.NXDomain && last == name && d.completer.Searched(ctx, &request.Request{W: w, Req: r}, name) {
		return chain.CoversAnswer
	}
	return chain.CoverageOf(result, qtype, d.fall, last)
}

// Disposition is what a handler does with a question.
type Disposition uint8

// The dispositions.
const (
	Answer Disposition = iota // the result of the look-up is the answer
	Pass                      // the next plugin answers
	Refuse                    // a transfer, which only the plugin transfer may answer

	passToCache // the next plugin answers; the cache has not been asked yet
)

// Decide decides what to do after a look-up, and counts the answer. It changes the answer
// to an alias of a name that falls through into one for another plugin to complete.
func (d *ClusterDNS) Decide(ctx context.Context, fall dnsname.Zones, name *dnsname.Name, qtype uint16, a *answer.Answer) Disposition {
	if a.Result == resolve.OutOfZone {
		return Pass
	}
	counter := d.answers.Of(ctx)
	switch {
	case qtype == dns.TypeAXFR || qtype == dns.TypeIXFR:
		counter.Refused(a)
		return Refuse
	case fallsThrough(fall, name, a):
		counter.FellThrough(a)
		return Pass
	}
	counter.Answered(a)
	return Answer
}

// fallsThrough reports whether the next plugin may know the name. If the name is an alias
// whose target the next plugin may know, it changes the answer into one for that plugin to
// complete.
func fallsThrough(fall dnsname.Zones, name *dnsname.Name, a *answer.Answer) bool {
	if a.Result != resolve.NXDomain {
		return false
	}
	if len(a.Records) == 0 {
		return fall.Enclose(name)
	}
	last := a.Records[len(a.Records)-1].(*dns.CNAME).Target
	if target, err := dnsname.Parse(last); err == nil && fall.Enclose(&target) {
		a.Result, a.Target, a.Authority = resolve.FollowTarget, last, nil
	}
	return false
}

// Reply turns an answer into a message, and looks up the target of an alias that leads
// outside our zones.
func (d *ClusterDNS) Reply(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, a *answer.Answer) *dns.Msg {
	m := message(r, a)
	if a.Result != resolve.FollowTarget {
		return m
	}
	if inner, ok := withTarget(ctx, a.Target); ok {
		d.complete(inner, request.Request{W: w, Req: r}, m, a.Target)
		m.Answer = dns.Dedup(m.Answer, nil)
	}
	return m
}

// rcodes are the response codes of results. An answer that another plugin completes takes
// the code of that plugin.
var rcodes = [...]int{
	resolve.NXDomain:     dns.RcodeNameError,
	resolve.NotReady:     dns.RcodeServerFailure,
	resolve.FollowTarget: dns.RcodeSuccess,
	resolve.Referral:     dns.RcodeSuccess,
}

// message turns an answer into a message. It allocates the message and its question
// together.
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

// maxTargets is the largest number of nested look-ups for one question. Each passes through
// the whole server, and no chain of practical use needs as many.
const maxTargets = 11

type targetsKey struct{}

// withTarget records in a context that an alias is followed out of our zones. The alias may
// lead into other zones of ours and back, a loop that no single handler sees. withTarget
// reports false for a loop or a chain that is too long: then the aliases alone are the
// answer, as within a zone.
func withTarget(ctx context.Context, target string) (context.Context, bool) {
	targets, _ := ctx.Value(targetsKey{}).([]string)
	same := func(other string) bool { return strings.EqualFold(other, target) }
	if len(targets) >= maxTargets || slices.ContainsFunc(targets, same) {
		return ctx, false
	}
	return context.WithValue(ctx, targetsKey{}, append(slices.Clip(targets), target)), true
}

// complete adds the records of an alias's target outside our zones. The last name decides
// the response code (RFC 6604 3), and if it lacks the type, the SOA record is added (RFC
// 2308 2.2). If the server answers for no such name at all, the aliases alone are the
// answer, and the client continues from there.
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

// soas returns the SOA records, which make an answer negative (RFC 2308 2).
func soas(rrs []dns.RR) []dns.RR {
	var kept []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeSOA {
			kept = append(kept, rr)
		}
	}
	return kept
}

// optSize is the size of an OPT record without options (RFC 6891 6.1.2).
const optSize = 11

// LimitsFor returns the limits of a client's answer. CoreDNS cuts replies to size after the
// plugins ahead; a plugin that shortens a reply sees by the TC bit that there were more
// records.
func (d *ClusterDNS) LimitsFor(w dns.ResponseWriter, r *dns.Msg) answer.Limits {
	state := request.Request{W: w, Req: r}
	limits := answer.Limits{Size: max(dns.MinMsgSize, state.Size()), Bare: d.bare}
	if r.IsEdns0() != nil {
		limits.Reserved = optSize
	}
	return limits
}

// questionOf returns the name and type of a message's question, or the root if it has none.
func questionOf(r *dns.Msg) (qname string, qtype uint16) {
	if len(r.Question) == 0 {
		return ".", dns.TypeNone
	}
	return r.Question[0].Name, r.Question[0].Qtype
}

// The methods below are for k8s_external, which answers for other zones from the data of
// the ClusterDNS in its server block.

// Store returns the cluster's store. It is nil before the server block has started.
func (d *ClusterDNS) Store() *cluster.Store { return d.store }

// View returns what the server block shows of the cluster. It is complete once the server
// block has started, and must not be changed.
func (d *ClusterDNS) View() *resolve.View { return &d.view }

// Primary returns the Primary of the server block. Other handlers add their zones to it
// before the server block serves.
func (d *ClusterDNS) Primary() *xfr.Primary { return d.primary }

// CacheGate returns the gate that keeps answers of the server block's handlers out of the
// plugin cache. Other handlers add themselves before the server block serves.
func (d *ClusterDNS) CacheGate() *chain.CacheGate { return d.gate }

// limitReply lowers the EDNS size of the client if replies to it have a limit. It returns a
// function that undoes that for the next plugin.
func (d *ClusterDNS) limitReply(w dns.ResponseWriter, r *dns.Msg) (undo func()) {
	return d.limit.Lower(w, r)
}
