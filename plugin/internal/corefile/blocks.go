package corefile

import (
	"bytes"
	"net"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	coreparse "github.com/coredns/coredns/plugin/pkg/parse"
)

// Block is a server block of a Corefile, with the configurations that CoreDNS made from it.
type Block struct {
	caddyfile.ServerBlock
	Configs []*dnsserver.Config // one for each zone
}

// Blocks returns the server blocks of the instance that a controller belongs to. It returns
// none in a test without a Corefile.
func Blocks(c *caddy.Controller) ([]Block, error) {
	input := InputOf(c)
	if input == nil {
		return nil, nil
	}
	parsed, err := caddyfile.Parse(input.Path(), bytes.NewReader(input.Body()), dnsserver.Directives)
	if err != nil {
		return nil, err
	}
	blocks := make([]Block, len(parsed))
	for i, b := range parsed {
		blocks[i].ServerBlock = b
		for j := range countZones(b.Keys) {
			at := *c
			at.ServerBlockIndex, at.ServerBlockKeyIndex = i, j
			blocks[i].Configs = append(blocks[i].Configs, dnsserver.GetConfig(&at))
		}
	}
	return blocks, nil
}

// OwnBlock returns the server block that a controller belongs to. It is empty in a test without a
// Corefile.
func OwnBlock(c *caddy.Controller) (Block, error) {
	blocks, err := Blocks(c)
	if err != nil || c.ServerBlockIndex >= len(blocks) {
		return Block{}, err
	}
	return blocks[c.ServerBlockIndex], nil
}

// markKey is the key of a mark in an instance's storage. The mark identifies the instance,
// because a controller does not show which one it belongs to.
type markKey struct{}

// InputOf returns the Corefile of the instance that a controller belongs to, or nil.
func InputOf(c *caddy.Controller) caddy.Input {
	mark := c.Get(markKey{})
	if mark == nil {
		mark = new(byte)
		c.Set(markKey{}, mark)
	}
	for _, i := range caddy.Instances() {
		i.StorageMu.RLock()
		other := i.Storage[markKey{}]
		i.StorageMu.RUnlock()
		if other == mark {
			return i.Caddyfile()
		}
	}
	return nil
}

// countZones returns the number of zones of a block. A network in CIDR form may be several
// zones.
func countZones(keys []string) int {
	count := 0
	for _, key := range keys {
		_, address := coreparse.Transport(key)
		if hosts, _, err := plugin.SplitHostPort(address); err == nil {
			count += len(hosts)
		}
	}
	return count
}

// Zones returns the names of a block's zones.
func (b *Block) Zones() []string {
	zones := make([]string, len(b.Configs))
	for i, cfg := range b.Configs {
		zones[i] = cfg.Zone
	}
	return zones
}

// Mentions reports whether a text is among the arguments of a directive.
func (b *Block) Mentions(directive, text string) bool {
	return slices.ContainsFunc(b.Tokens[directive], func(t caddyfile.Token) bool { return t.Text == text })
}

// has reports whether a config is one of the block's.
func (b *Block) has(cfg *dnsserver.Config) bool { return slices.Contains(b.Configs, cfg) }

// Listens reports whether a zone is served at a listener, whose address is as CoreDNS writes it
// (dns://host:port).
func Listens(cfg *dnsserver.Config, server string) bool {
	return slices.Contains(Listeners(cfg), server)
}

// Listeners returns the addresses of the listeners that a zone is served at, as CoreDNS writes them.
func Listeners(cfg *dnsserver.Config) (all []string) {
	for _, host := range cfg.ListenHosts {
		addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, cfg.Port))
		if err == nil {
			all = append(all, cfg.Transport+"://"+addr.String())
		}
	}
	return all
}

// Filtered reports whether a plugin such as view selects the questions for a zone by more
// than their names.
func Filtered(cfg *dnsserver.Config) bool { return len(cfg.FilterFuncs) > 0 || cfg.ViewName != "" }

// FilteredBeside reports whether Filtered holds for the block of a configuration, or for
// any block that may share a listener with it. Then the name alone does not decide which
// block answers a question.
func FilteredBeside(server *dnsserver.Config, blocks []Block) bool {
	var own []*dnsserver.Config
	for i := range blocks {
		if blocks[i].has(server) {
			own = blocks[i].Configs
		}
	}
	sharesListener := func(cfg *dnsserver.Config) bool {
		return slices.ContainsFunc(own, func(o *dnsserver.Config) bool { return o.Transport == cfg.Transport && o.Port == cfg.Port })
	}
	return slices.ContainsFunc(blocks, func(b Block) bool {
		return slices.ContainsFunc(b.Configs, func(cfg *dnsserver.Config) bool { return Filtered(cfg) && sharesListener(cfg) })
	})
}
