package clusterdns

import (
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// searchMode says how the Namespace of a client is known that searches for a name.
type searchMode uint8

// The modes of the property search.
const (
	searchOff       searchMode = iota
	searchNames                // from the question
	searchPods                 // from the client's Pod, else from the question
	searchPodsAlone            // from the client's Pod
)

func (m searchMode) watchesPods() bool { return m == searchPods || m == searchPodsAlone }

// searcher completes names that clients search for. What is in it does not change
// once the server block has started.
type searcher struct {
	mode    searchMode
	paths   map[string]*searchpath.Path // by origin
	flights singleflight.Group
	asks    bool   // for names of ours, too: something ahead may have a say in them
	views   bool   // a server block is chosen by more than the name, so nothing is asked for together
	blocks  blocks // of the Corefile
	counts  *searchCounter
}

// newSearcher makes the searcher of a server block, or nil if it has none.
func newSearcher(cfg *config, node []string) *searcher {
	if cfg.search.mode == searchOff {
		return nil
	}
	suffixes := cfg.search.suffixes
	if !cfg.search.suffixesSet {
		suffixes = cfg.nodeSuffixes(node)
	}
	s := &searcher{mode: cfg.search.mode, paths: map[string]*searchpath.Path{}, counts: newSearchCounter(metrics)}
	for _, o := range cfg.view.Origins {
		if !o.Reverse() && !o.ClusterSet {
			s.paths[o.String()] = searchpath.NewPath(o.Wire(), suffixes, cfg.search.labels)
		}
	}
	return s
}

// nodeSuffixes are those of the node's search list, in wire form. The server's own
// list is that of its node, but begins with suffixes of the cluster's if the server
// asks the cluster's DNS as other Pods do.
func (cfg *config) nodeSuffixes(list []string) []string {
	var wires []string
	for _, suffix := range list {
		n, err := dnsname.Parse(suffix)
		if err != nil {
			continue
		}
		if _, ours := cfg.view.Origin(&n); !ours {
			wires = append(wires, n.Wire())
		}
	}
	return wires
}

// listOf is what comes next in the search path of a Pod, or of an unknown client if
// it is nil. The list is nil where nothing is to be completed; it may be in the memory.
func (s *searcher) listOf(pod *cluster.Pod, q *searchpath.Question, path *searchpath.Path, memory *searchpath.List) *searchpath.List {
	switch {
	case pod == nil && s.mode == searchPods:
		return path.Standard()
	case pod == nil || pod.Namespace != string(q.Namespace()):
		return nil
	}
	settings := searchpath.Unset
	if r := pod.Resolver; r != nil {
		settings = searchpath.Settings{Policy: r.Policy, Searches: r.Searches, Ndots: r.Ndots}
	}
	if !path.Fill(memory, pod.Namespace, &settings) {
		return nil
	}
	return memory
}

// start looks at what stands around the handler, which is known only once all of
// the Corefile has been read.
func (s *searcher) start(c *caddy.Controller, word string, all []corefile.Block, log clog.P) error {
	if s == nil {
		return nil
	}
	server := dnsserver.GetConfig(c)
	if server.Handler("autopath") != nil {
		return plugin.Error(word, c.Err("search, or "+searchVariable+", and the plugin autopath both complete search paths: expected one of them"))
	}
	s.blocks = blocksAround(server, all)
	s.views = corefile.FilteredBeside(server, all)
	s.asks = s.views || !corefile.ClearOfNames(corefile.Ahead(server, word))
	switch {
	case s.views:
		log.Info("search asks the whole server for names in the cluster too: a view chooses the server block by more than the name")
	case s.asks:
		log.Info("search asks the whole server for names in the cluster too: a plugin ahead may have a say in them")
	}
	return nil
}

// blocks tells names that other server blocks of the Corefile answer for. Their
// ports are not looked at: it costs a detour through the server to be wrong.
type blocks struct {
	own, others zone.View // of which nothing but the origins is used
}

// blocksAround are those that a server block has for others.
func blocksAround(server *dnsserver.Config, all []corefile.Block) (b blocks) {
	for i := range all {
		zones := &b.others.Origins
		if all[i].Has(server) {
			zones = &b.own.Origins
		}
		for _, text := range all[i].Zones() {
			if o, err := zone.ParseOrigin(text); err == nil {
				*zones = append(*zones, o)
			}
		}
	}
	return b
}

// elsewhere says whether another server block answers for a name: the one with the
// longest zone does.
func (b *blocks) elsewhere(n *dnsname.Name) bool {
	other, found := b.others.Origin(n)
	if !found {
		return false
	}
	own, _ := b.own.Origin(n)
	return len(other.Wire()) > len(own.Wire())
}

// holdsElsewhere says the same of a question's name.
func (b *blocks) holdsElsewhere(q *zone.Question) bool {
	return longest(b.others.Origins, q) > longest(b.own.Origins, q)
}

// longest is the number of labels of the longest origin that holds a name, or -1.
func longest(origins []zone.Origin, q *zone.Question) int {
	found := -1
	for i := range origins {
		if origins[i].Encloses(q.Name()) {
			found = max(found, origins[i].Labels())
		}
	}
	return found
}

// spelled is a name in wire form with the client's letter case.
func spelled(qname string) ([]byte, bool) {
	var buf [256]byte
	end, err := dns.PackDomainName(dns.Fqdn(qname), buf[:], 0, nil, false)
	return buf[:end], err == nil
}
