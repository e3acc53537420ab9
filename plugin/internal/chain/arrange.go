package chain

import (
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/clusterdns/clusterdns/plugin/internal/tcp"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

// Arrange puts our handlers ahead of the plugins that a server block already has, and around
// the plugin minimal. Track makes the handler that must see a transfer before the plugin
// transfer does, asked counts who asks what and may be nil, and head returns what the first handler may answer at a server. It must be called after the plugin tls has been set up, and before our own
// plugin is added.
func Arrange(server *dnsserver.Config, keys []string, track plugin.Plugin, asked *top.Counter, head func(*dnsserver.Server) *tcp.Server) {
	offerDoT(server, keys)
	server.Plugin = slices.Insert(server.Plugin, 0, func(next plugin.Handler) plugin.Handler {
		next = track(next)
		if asked != nil {
			next = &counted{next, asked}
		}
		if fitsEncrypted(keys) {
			next = &encrypted{next}
		}
		return &first{next: next, head: head}
	})
	passMinimal(server)
}
