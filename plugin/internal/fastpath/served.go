package fastpath

import (
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Served is a server block with a cluster.
type Served struct {
	Block     *corefile.Block
	Directive string
	View      *resolve.View
	Store     *cluster.Store
	Blocks    []corefile.Block // of the whole Corefile; Block is one of them
	Heard     func() int64     // returns the unix time at which the API server was last heard of, or 0
}

// At reports whether a server, whose address is as CoreDNS writes it, serves the block.
func (s *Served) At(server string) bool {
	return slices.ContainsFunc(s.Block.Configs, func(cfg *dnsserver.Config) bool { return corefile.Listens(cfg, server) })
}

// ServedBy returns the server blocks of an instance that have a cluster, in the order of the Corefile. The
// instance must have started, but need not serve.
func ServedBy(i *caddy.Instance) (all []Served) {
	f := of(i)
	if f == nil {
		return nil
	}
	return f.Served()
}

// of returns the fast path of an instance, or nil.
func of(i *caddy.Instance) *Instance {
	i.StorageMu.RLock()
	defer i.StorageMu.RUnlock()
	f, _ := i.Storage[instanceKey{}].(*Instance)
	return f
}

// Served returns the server blocks of the instance that have a cluster. The instance must have started.
func (f *Instance) Served() (all []Served) {
	for j := range f.blocks {
		b := &f.blocks[j]
		if h := f.handlers[b.Configs[0]]; h != nil && !h.View.Published {
			all = append(all, Served{b, h.Directive, h.View, h.Store(), f.blocks, h.Heard})
		}
	}
	return all
}

// Servers returns the servers of the instance that have begun to serve plain DNS.
func (f *Instance) Servers() []*dnsserver.Server {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.servers)
}
