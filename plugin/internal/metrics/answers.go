package metrics

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// outcome is the result of a question in our zones, as the metrics count it.
type outcome uint8

// The outcomes. An alias that the rest of the server follows is an outcome of its own: the
// result for its target is counted where that is answered, if it is ours.
const (
	outcomeSuccess outcome = iota
	outcomeNoData
	outcomeNXDomain
	outcomeNotReady    // SERVFAIL before the first sync
	outcomeUpstream    // an alias that leads out of the zones
	outcomeFallthrough // passed to the next plugin
	outcomeRefused     // a transfer that no plugin took

	outcomes // number of outcomes
)

// outcomeOf maps results to outcomes.
var outcomeOf = [...]outcome{
	resolve.Success:      outcomeSuccess,
	resolve.NoData:       outcomeNoData,
	resolve.NXDomain:     outcomeNXDomain,
	resolve.NotReady:     outcomeNotReady,
	resolve.FollowTarget: outcomeUpstream,
	resolve.Referral:     outcomeSuccess,
}

// The values of the labels.
var (
	kindLabels = [resolve.NameKinds]string{
		resolve.KindUnknown:      "unknown",
		resolve.KindZone:         "zone",
		resolve.KindNamespace:    "namespace",
		resolve.KindService:      "service",
		resolve.KindHeadless:     "headless",
		resolve.KindExternalName: "externalname",
		resolve.KindEndpoint:     "endpoint",
		resolve.KindPort:         "port",
		resolve.KindPod:          "pod",
		resolve.KindReverse:      "reverse",
		resolve.KindExternal:     "external",
		resolve.KindPublished:    "published",
	}
	outcomeLabels = [outcomes]string{"success", "nodata", "nxdomain", "not_ready", "upstream", "fallthrough", "refused"}
)

// AnswerCounter counts the answers of one server. It makes a counter at its first count,
// because most pairs of kind and outcome never occur; after that, counting is a single
// atomic addition.
type AnswerCounter struct {
	vec      *prometheus.CounterVec // with the server's label
	counters [resolve.NameKinds][outcomes]atomic.Pointer[prometheus.Counter]
}

// newAnswerCounter returns the counter of the server with an address, such as dns://:53.
// Counters with the same address add up.
func newAnswerCounter(c *Collectors, addr string) *AnswerCounter {
	return &AnswerCounter{vec: c.answers.MustCurryWith(prometheus.Labels{"server": addr})}
}

// Answered counts the answer of a look-up. It is safe for concurrent use and allocates
// nothing.
func (c *AnswerCounter) Answered(a *answer.Answer) { c.count(a.Kind, outcomeOf[a.Result]) }

// Refused counts a transfer that no transfer plugin took.
func (c *AnswerCounter) Refused(a *answer.Answer) { c.count(a.Kind, outcomeRefused) }

// FellThrough counts a question that is passed to the next plugin.
func (c *AnswerCounter) FellThrough(a *answer.Answer) { c.count(a.Kind, outcomeFallthrough) }

func (c *AnswerCounter) count(k resolve.NameKind, o outcome) {
	at := &c.counters[k][o]
	counter := at.Load()
	if counter == nil {
		made := c.vec.WithLabelValues(kindLabels[k], outcomeLabels[o])
		counter = &made
		at.Store(counter)
	}
	(*counter).Inc()
}

// ServerCounters are the counters of the servers of one server block, which has a server
// for each address and transport.
type ServerCounters struct {
	of    *Collectors
	known atomic.Pointer[[]serverCounter]
	mu    sync.Mutex // guards additions to known
}

type serverCounter struct {
	server *dnsserver.Server
	*AnswerCounter
}

// Servers returns the counters of a server block. It makes each one at its first count.
func (c *Collectors) Servers() *ServerCounters { return &ServerCounters{of: c} }

// Of returns the counter of the server that received a question. It searches a list,
// because there are only a few.
func (c *ServerCounters) Of(ctx context.Context) *AnswerCounter {
	server, _ := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	if found := c.find(server); found != nil {
		return found
	}
	return c.add(server)
}

func (c *ServerCounters) find(server *dnsserver.Server) *AnswerCounter {
	known := c.known.Load()
	if known == nil {
		return nil
	}
	for i := range *known {
		if (*known)[i].server == server {
			return (*known)[i].AnswerCounter
		}
	}
	return nil
}

func (c *ServerCounters) add(server *dnsserver.Server) *AnswerCounter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found := c.find(server); found != nil {
		return found
	}
	addr := "" // the label in CoreDNS's own metrics without a server
	if server != nil {
		addr = server.Addr
	}
	made := newAnswerCounter(c.of, addr)
	var known []serverCounter
	if before := c.known.Load(); before != nil {
		known = slices.Clone(*before)
	}
	known = append(known, serverCounter{server, made})
	c.known.Store(&known)
	return made
}
