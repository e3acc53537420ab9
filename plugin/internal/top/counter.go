package top

import (
	"net/netip"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Counter counts the questions to a server block.
type Counter struct {
	Tally *Tally
	Store func() *cluster.Store // called once the server block has started
	View  *resolve.View
	Pods  bool // the store has the cluster's Pods
}

// Answered counts a question from an address that was answered with a response code, or stands aside for
// others that count. The address is not IPv4-mapped.
func (c *Counter) Answered(from netip.Addr, qname *dnsname.Name, rcode int) {
	if weight := c.Sample(); weight > 0 {
		c.Add(from, qname, rcode, weight)
	}
}

// Sample returns for how many questions the next one counts, or 0 if it does not.
func (c *Counter) Sample() (weight uint32) { return c.Tally.sample() }

// Add counts a question for as many as Sample has said. It keeps nothing of the name's memory.
func (c *Counter) Add(from netip.Addr, qname *dnsname.Name, rcode int, weight uint32) {
	q := question{client: client{addr: from}, name: c.shorten(qname), rcode: rcode, pods: c.Pods}
	if c.Pods {
		q.client.namespace = c.Store().Load().Client(from).Namespace
	}
	c.Tally.add(&q, weight)
}

// outsideLabels is the number of labels that are left of a name outside the cluster.
const outsideLabels = 2

// shorten returns a name in wire form: of the cluster the whole one, of others the last labels.
func (c *Counter) shorten(qname *dnsname.Name) string {
	if c.View.Origin(qname) != nil {
		return qname.Wire()
	}
	return qname.Wire()[qname.Offset(min(outsideLabels, qname.Labels())):]
}
