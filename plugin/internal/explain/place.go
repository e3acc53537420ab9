package explain

import (
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/stub"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
)

// place is where a question is answered.
type place struct {
	block  *corefile.Block  // nil if no server block takes the name
	zone   string           // of the block
	served *fastpath.Served // nil if the block has no cluster
	name   string           // that rewrite makes of the one asked for
}

// placeOf returns where a name is answered, as CoreDNS chooses: in the first server block with the longest zone whose plugins,
// such as view, take the question.
func (e *explainer) placeOf(name string) place {
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if p, ok := e.placeIn(name[off:], name); ok {
			return p
		}
	}
	if p, ok := e.placeIn(".", name); ok {
		return p
	}
	return place{name: name}
}

func (e *explainer) placeIn(zone, name string) (place, bool) {
	blocks := e.served.Blocks
	for i := range blocks {
		for _, cfg := range blocks[i].Configs {
			if cfg.Zone != zone || !corefile.Listens(cfg, e.asker.Server.Addr) || !e.asker.Takes(cfg, name, e.Types[0]) {
				continue
			}
			p := place{block: &blocks[i], zone: zone, name: e.asker.Rewritten(cfg, name, e.Types[0])}
			if at := slices.IndexFunc(e.all, func(s fastpath.Served) bool { return s.Block == p.block }); at >= 0 {
				p.served = &e.all[at]
			}
			return p, true
		}
	}
	return place{}, false
}

// why says why a name has the replies that it has.
func (e *explainer) why(name string, replies []inprocess.Reply) Cause {
	at := e.placeOf(name)
	if at.served == nil {
		return e.withoutCluster(at, name, replies)
	}
	before := e.served
	e.served = *at.served
	defer func() { e.served = before }()
	c := e.reversed(at.name, replies)
	if zone, ours := e.zoneOf(at.name); ours {
		c = e.cause(at.name, zone, replies)
	} else if labels := dns.SplitDomainName(at.name); len(labels) > 2 && labels[2] == "svc" { // of another zone
		e.meant(&c, labels[0], labels[1])
	}
	switch blind, is := e.blind(at.name, replies); {
	case stub.Answered(replies):
		c.Text, c.Remedy = "answered"+e.byAnother(replies), ""
	case is:
		c = blind
	case at.name != name:
		c.Text = fmt.Sprintf("rewrite makes %s of it: %s", trim(at.name), c.Text)
		c.weight = certain
	}
	return c
}

// byAnother names the plugin that has answered, unless it is the cluster's or passes the answer on.
func (e *explainer) byAnother(replies []inprocess.Reply) string {
	for _, r := range replies {
		if r.Answers() && r.Plugin != "" && r.Plugin != e.served.Directive && r.Plugin != "cache" {
			return " by " + r.Plugin
		}
	}
	return ""
}

// withoutCluster is for a name that comes to a server block without the cluster.
func (e *explainer) withoutCluster(at place, name string, replies []inprocess.Reply) Cause {
	c := e.outside(replies)
	if _, ours := e.zoneOf(name); !ours || at.block == nil || stub.Answered(replies) {
		return c
	}
	c.Text = fmt.Sprintf("questions for %s come to the server block of %s, which has no %s: %s", trim(name), trim(at.zone), e.served.Directive, c.Text)
	c.Remedy, c.weight = fmt.Sprintf("take that server block away, or write %s into it too", e.served.Directive), certain
	return c
}
