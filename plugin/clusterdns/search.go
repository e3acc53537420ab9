package clusterdns

import (
	"context"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
)

// newCompleter returns the completer of a handler, or nil if it completes nothing. The node is
// the search list of the server's own node.
func newCompleter(cfg *config, d *ClusterDNS, node []string) *completion.Completer {
	suffixes := cfg.search.suffixes
	if !cfg.search.suffixesSet {
		suffixes = cfg.nodeSuffixes(node)
	}
	return completion.New(completion.Config{
		Mode:        cfg.search.mode,
		Suffixes:    suffixes,
		Labels:      cfg.search.labels,
		View:        &d.view,
		Fallthrough: d.fall.Zones,
		Lookup: func(ctx context.Context, state request.Request, name string, qtype uint16) (*dns.Msg, error) {
			return d.upstream.Lookup(ctx, state, name, qtype)
		},
		TurnedAway: udp.TurnedAway,
		Counter:    collectors.Searches(),
	})
}

// nodeSuffixes returns the suffixes of the node's search list, in wire form. The server's own
// list is that of its node, but begins with suffixes of the cluster's if the server
// asks the cluster's DNS as other Pods do.
func (cfg *config) nodeSuffixes(list []string) []string {
	var wires []string
	for _, suffix := range list {
		n, err := dnsname.Parse(suffix)
		if err != nil {
			continue
		}
		if cfg.view.Origin(&n) == nil {
			wires = append(wires, n.Wire())
		}
	}
	return wires
}

// startSearch tells the completer what stands around the handler, which is known only once all
// of the Corefile has been read.
func (d *ClusterDNS) startSearch(c *caddy.Controller, blocks []corefile.Block, log clog.P) error {
	if d.completer == nil {
		return nil
	}
	server := dnsserver.GetConfig(c)
	if server.Handler("autopath") != nil {
		return plugin.Error(d.name, c.Err("search, or "+searchVariable+", and the plugin autopath both complete search paths: expected one of them"))
	}
	d.completer.Surroundings = completion.SurroundingsOf(server, d.name, blocks)
	switch {
	case d.completer.Filtered:
		log.Info("search asks the whole server for names in the cluster too: a view chooses the server block by more than the name")
	case d.completer.AskAll:
		log.Info("search asks the whole server for names in the cluster too: a plugin ahead may have a say in them")
	}
	return nil
}
