// Package gateway is a CoreDNS plugin that answers for the names which a cluster gives to the
// world: those of Ingresses, of routes of the Gateway API, of load balancers and of DNSEndpoints.
// It takes the place of the plugin k8s_gateway (github.com/k8s-gateway/k8s_gateway), under its
// name.
//
// The cluster is that of the directive kubernetes or clusterdns in the same server block. Without
// one, the plugin watches for itself. Package publish decides which names there are; this package
// finds them in a snapshot (view.go), and package answer makes the records.
//
// The rule not to break: nothing is looked up elsewhere to find an answer here. A name that leads
// to a hostname is an alias of it.
package gateway

import (
	"context"
	"sync"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/clusterdns"
	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const pluginName = "k8s_gateway"

// handler is the handler of one server block.
type handler struct {
	Next     plugin.Handler
	view     view
	fall     dnsname.Zones
	settings publish.Settings
	cluster  *clusterdns.ClusterDNS // set at the start
	alone    bool                   // there is no other plugin with the cluster
}

// Name implements plugin.Handler.
func (*handler) Name() string { return pluginName }

// Publishes returns which objects are published, for the plugin that watches the cluster.
func (h *handler) Publishes() publish.Settings { return h.settings }

// Ready implements ready.Readiness. Beside another plugin with the cluster, that plugin tells.
func (h *handler) Ready() bool { return !h.alone || h.cluster.Ready() }

// ServeDNS implements plugin.Handler.
func (h *handler) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return h.cluster.ServeBeside(ctx, w, r, h, h.Next, h.answer)
}

// names are memory for names, which nothing may keep after the answer.
var names = sync.Pool{New: func() any { return new(dnsname.WireName) }}

// answer returns the reply to a question and, if there is none, what to do instead.
func (h *handler) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (*dns.Msg, clusterdns.Disposition) {
	state := request.Request{W: w, Req: r}
	memory := names.Get().(*dnsname.WireName)
	defer names.Put(memory)
	name, err := memory.ParseText(state.QName())
	if err != nil || h.view.leaves(state.QType()) {
		return nil, clusterdns.Pass
	}
	snapshot := h.cluster.Store().Load()
	limits := h.cluster.LimitsFor(w, r)
	a := answer.LookupBy(h.view.locate, &h.view.zones, snapshot, name, state.QType(), limits)
	if disposition := h.cluster.Decide(ctx, h.fall, name, state.QType(), &a); disposition != clusterdns.Answer {
		return nil, disposition
	}
	m := h.cluster.Reply(ctx, w, r, &a)
	if a.Result == resolve.Referral {
		h.view.refer(m, snapshot, name, limits.Size)
	}
	return m, clusterdns.Answer
}

// Covers implements chain.Source.
func (h *handler) Covers(_ context.Context, _ dns.ResponseWriter, r *dns.Msg) chain.Coverage {
	if len(r.Question) == 0 {
		return chain.CoversNothing
	}
	memory := names.Get().(*dnsname.WireName)
	defer names.Put(memory)
	name, err := memory.ParseText(r.Question[0].Name)
	if err != nil || h.view.leaves(r.Question[0].Qtype) {
		return chain.CoversNothing
	}
	result, last := h.view.zones.OutcomeBy(h.view.locate, h.cluster.Store().Load(), name, r.Question[0].Qtype)
	return chain.CoverageOf(result, r.Question[0].Qtype, h.fall, last)
}
