package clusterdns

import (
	"bytes"
	"net"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	coreparse "github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
)

// serverBlock is a block of the Corefile, with what CoreDNS has made of it.
type serverBlock struct {
	caddyfile.ServerBlock
	configs []*dnsserver.Config // one for each zone
}

// serverBlocks are those of the instance that a controller belongs to. The Corefile
// is read once more, because CoreDNS shows a plugin its own block only.
func serverBlocks(c *caddy.Controller) ([]serverBlock, error) {
	input := corefileOf(c)
	if input == nil {
		return nil, nil
	}
	parsed, err := caddyfile.Parse(input.Path(), bytes.NewReader(input.Body()), dnsserver.Directives)
	if err != nil {
		return nil, err
	}
	blocks := make([]serverBlock, len(parsed))
	for i, b := range parsed {
		blocks[i].ServerBlock = b
		for j := range countZones(b.Keys) {
			at := *c
			at.ServerBlockIndex, at.ServerBlockKeyIndex = i, j
			blocks[i].configs = append(blocks[i].configs, dnsserver.GetConfig(&at))
		}
	}
	return blocks, nil
}

// corefileOf is that of the instance, or nil in a test that has none.
func corefileOf(c *caddy.Controller) caddy.Input {
	mine := holderOf(c)
	for _, i := range caddy.Instances() {
		i.StorageMu.RLock()
		h := i.Storage[holderKey{}]
		i.StorageMu.RUnlock()
		if h == mine {
			return i.Caddyfile()
		}
	}
	return nil
}

// countZones is the number of zones of a block: a network may be several.
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

// listens says whether a zone of a block is served at the address of a listener, as
// CoreDNS writes it.
func listens(cfg *dnsserver.Config, server string) bool {
	for _, host := range cfg.ListenHosts {
		addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, cfg.Port))
		if err == nil && cfg.Transport == transport.DNS && cfg.Transport+"://"+addr.String() == server {
			return true
		}
	}
	return false
}

// filtered reports whether a plugin such as view chooses by more than the name which
// questions are for a zone of a block.
func filtered(cfg *dnsserver.Config) bool { return len(cfg.FilterFuncs) > 0 || cfg.ViewName != "" }
