package fair

import (
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	kit "github.com/clusterdns/clusterdns/test/kit/flood"
)

// flood is the behaviour of an impolite client.
type flood struct {
	name, title string
	upstream    behaviour
	properties  string // properties of our plugin in the Corefile
	kit.Flood
}

// upstreamDelay is the delay of an upstream on another continent.
const upstreamDelay = 200 * time.Millisecond

// suffixes are the suffixes of a node with the longest search list that older resolvers
// allow.
const suffixes = "search names\n search_suffixes no.a.example no.b.example no.c.example no.d.example no.e.example no.f.example"

var floods = []flood{
	{name: "own", title: "60,000/s of cluster names", Flood: kit.Flood{Rate: 60_000, Question: always(ownName, dns.TypeA)}},
	{
		name: "slow", title: "15,000/s of new outside names, upstream of 200 ms",
		upstream: behaviour{delay: upstreamDelay},
		Flood:    kit.Flood{Rate: 15_000, Question: each("f%d.flood.example.")},
	},
	{
		name: "dead", title: "15,000/s of new outside names, upstream dead",
		upstream: behaviour{dead: true},
		Flood:    kit.Flood{Rate: 15_000, Question: each("f%d.flood.example.")},
	},
	{
		name: "srv", title: "15,000/s of SRV of 5,000 endpoints",
		Flood: kit.Flood{Rate: 15_000, Question: always("_http._tcp.many.app.svc.cluster.local.", dns.TypeSRV)},
	},
	{
		name: "search", title: "5,000/s of searched names, six suffixes, upstream of 20 ms",
		upstream:   behaviour{delay: upstreamDelay / 10},
		properties: suffixes,
		Flood:      kit.Flood{Rate: 5_000, Question: each("f%d.no.app.svc.cluster.local.")},
	},
	{name: "tcp", title: "2,000 TCP connections", Flood: kit.Flood{Connections: 2000, Question: always(ownName, dns.TypeA)}},
}

func always(name string, qtype uint16) func(int) (string, uint16) {
	return func(int) (string, uint16) { return name, qtype }
}

// each returns the questions for A of a name with a number in it.
func each(format string) func(int) (string, uint16) {
	return func(i int) (string, uint16) { return fmt.Sprintf(format, i), dns.TypeA }
}

func (f *flood) chosen(names []string) bool { return len(names) == 0 || slices.Contains(names, f.name) }
