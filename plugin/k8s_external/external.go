// Package external is a CoreDNS plugin that shows the Services of a cluster to the world
// outside, in zones of their own: by their external addresses, by the hostnames of their
// load balancers and, as an option, by their endpoints. It takes the place of the stock
// plugin k8s_external, under its name.
//
// The cluster is that of the directive kubernetes or clusterdns in the same server block.
// This package finds what a name stands for outside (view.go, find.go); package answer
// makes the records, as for the cluster's own zones.
//
// The rule not to break: nothing of the cluster is visible here but Services with an
// external address or hostname and, with the property headless, endpoints.
package external

import (
	"context"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/clusterdns"
	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

const pluginName = "k8s_external"

// upstreamer looks up a name through the whole server.
type upstreamer interface {
	Lookup(ctx context.Context, state request.Request, name string, typ uint16) (*dns.Msg, error)
}

// handler is the handler of one server block.
type handler struct {
	Next     plugin.Handler
	view     view
	fall     dnsname.Zones
	upstream upstreamer
	cluster  *clusterdns.ClusterDNS // set at the start
}

// Name implements plugin.Handler.
func (*handler) Name() string { return pluginName }

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
	if err != nil {
		return nil, clusterdns.Pass
	}
	a := h.view.lookup(h.cluster.Store().Load(), name, state.QType(), h.cluster.LimitsFor(w, r))
	if disposition := h.cluster.Decide(ctx, h.fall, name, state.QType(), &a); disposition != clusterdns.Answer {
		return nil, disposition
	}
	m := h.cluster.Reply(ctx, w, r, &a)
	h.addAddresses(ctx, state, m, &a)
	return m, clusterdns.Answer
}

// Covers implements chain.Source.
func (h *handler) Covers(_ context.Context, _ dns.ResponseWriter, r *dns.Msg) chain.Coverage {
	if len(r.Question) == 0 {
		return chain.CoversNothing
	}
	return h.view.covers(h.cluster.Store().Load(), h.fall, r.Question[0].Name, r.Question[0].Qtype)
}

// The addresses of this many hostnames are looked up for one question, until this time has
// passed. A Service may have hundreds of hostnames, and each look-up may wait for an upstream.
const (
	maxHosts = 4
	patience = time.Second
)

// addAddresses adds the addresses of load balancers to SRV records that lead to their
// hostnames (RFC 2782). The answer is complete without them.
func (h *handler) addAddresses(ctx context.Context, state request.Request, m *dns.Msg, a *answer.Answer) {
	end := time.Now().Add(patience)
	for _, target := range a.Hosts[:min(maxHosts, len(a.Hosts))] {
		if time.Now().After(end) {
			return
		}
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
			if up, err := h.upstream.Lookup(ctx, state, target, qtype); err == nil && up != nil {
				m.Extra = append(m.Extra, up.Answer...)
			}
		}
	}
}
