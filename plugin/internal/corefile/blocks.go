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
	"github.com/coredns/coredns/plugin/pkg/transport"
)

// Block is a server block of a Corefile, with what CoreDNS has made of it.
type Block struct {
	caddyfile.ServerBlock
	Configs []*dnsserver.Config // one for each zone
}

// Blocks returns the server blocks of the instance that a controller belongs to. There are
// none in a test without a Corefile.
func Blocks(c *caddy.Controller) ([]Block, error) {
	input := inputOf(c)
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

// markKey is where an instance keeps the mark by which it is found: a controller does not
// show the instance that it belongs to.
type markKey struct{}

// inputOf returns the Corefile of an instance, or nil.
func inputOf(c *caddy.Controller) caddy.Input {
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

// countZones returns the number of zones of a block: a network may be several.
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

// has reports whether a config is one of the block's.
func (b *Block) has(cfg *dnsserver.Config) bool { return slices.Contains(b.Configs, cfg) }

// Listens reports whether a zone is served at the address of a listener for plain DNS, as
// CoreDNS writes it.
func Listens(cfg *dnsserver.Config, server string) bool {
	for _, host := range cfg.ListenHosts {
		addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, cfg.Port))
		if err == nil && cfg.Transport == transport.DNS && cfg.Transport+"://"+addr.String() == server {
			return true
		}
	}
	return false
}

// Filtered reports whether a plugin such as view chooses, by more than the name, which
// questions are for a zone.
func Filtered(cfg *dnsserver.Config) bool { return len(cfg.FilterFuncs) > 0 || cfg.ViewName != "" }

// FilteredBeside reports whether a block that may share a listener with the block of a config, or
// this block itself, is chosen by more than the name. Then the name alone does not tell
// which block answers a question.
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
