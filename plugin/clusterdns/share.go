package clusterdns

import (
	"context"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin/pkg/fall"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// What is here is for k8s_external, which answers for other zones from the data
// of a ClusterDNS in its server block.

// Store holds the cluster. It is nil until the server block has started.
func (d *ClusterDNS) Store() *cluster.Store { return d.store }

// View is what the server block shows of the cluster. It is complete once the
// server block has started, and not to be changed.
func (d *ClusterDNS) View() *resolve.View { return &d.view }

// Reply turns an answer into a message, and looks up what an alias leads to
// outside its zones.
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

// maxTargets is how many look-ups may nest for one question. Each is a walk
// through the whole server, and none of real use takes as many.
const maxTargets = 11

type targetsKey struct{}

// withTarget notes that an alias is followed out of our zones. It may lead into
// others of ours, and from there back: no handler sees the whole of such a circle.
// It fails where one closes, or the chain is too long. The aliases alone are the
// answer then, as within a zone.
func withTarget(ctx context.Context, target string) (context.Context, bool) {
	targets, _ := ctx.Value(targetsKey{}).([]string)
	same := func(other string) bool { return strings.EqualFold(other, target) }
	if len(targets) >= maxTargets || slices.ContainsFunc(targets, same) {
		return ctx, false
	}
	return context.WithValue(ctx, targetsKey{}, append(slices.Clip(targets), target)), true
}

// Verdict is what a handler does with a question.
type Verdict uint8

// The verdicts.
const (
	Answer Verdict = iota // what the look-up has found is the answer
	Pass                  // the next plugin is to answer
	Refuse                // it is a transfer, which is for the transfer plugin to give

	passToCache // the next plugin is to answer, and the cache was not asked before
)

// Decide says what to do about a question that the look-up has answered, and
// counts it. The answer to an alias of a name that falls through is changed into
// one that is to be completed.
func (d *ClusterDNS) Decide(ctx context.Context, f fall.F, qname string, qtype uint16, a *answer.Answer) Verdict {
	if a.Result == resolve.OutOfZone {
		return Pass
	}
	counter := d.answers.Of(ctx)
	switch {
	case qtype == dns.TypeAXFR || qtype == dns.TypeIXFR:
		counter.Refused(a)
		return Refuse
	case fallsThrough(f, qname, a):
		counter.FellThrough(a)
		return Pass
	}
	counter.Answered(a)
	return Answer
}
