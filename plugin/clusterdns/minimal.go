package clusterdns

import (
	"context"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// minimal lets the last message of a reply pass, which of a transfer is not enough. It
// stands ahead of transfer, so the writer of before it goes past it in the context.

// passMinimal takes transfers past minimal, if both are in the server block.
func passMinimal(server *dnsserver.Config) {
	before, behind := pluginIndex(server, "minimal"), pluginIndex(server, "transfer")
	if before < 0 || behind < before {
		return
	}
	server.Plugin = slices.Insert(server.Plugin, behind, func(next plugin.Handler) plugin.Handler { return restoreWriter{next} })
	server.Plugin = slices.Insert(server.Plugin, before, func(next plugin.Handler) plugin.Handler { return keepWriter{next} })
}

// pluginIndex is the place of a plugin in a server block, or -1. It is known by the
// function that makes its handler: handlers have no names yet.
func pluginIndex(server *dnsserver.Config, name string) int {
	return slices.IndexFunc(server.Plugin, func(p plugin.Plugin) bool {
		made := runtime.FuncForPC(reflect.ValueOf(p).Pointer())
		return made != nil && strings.HasPrefix(made.Name(), "github.com/coredns/coredns/plugin/"+name+".")
	})
}

type writerKey struct{}

// keepWriter keeps the writer of a transfer.
type keepWriter struct{ next plugin.Handler }

// Name implements plugin.Handler.
func (keepWriter) Name() string { return "clusterdns_keep_writer" }

// ServeDNS implements plugin.Handler.
func (h keepWriter) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if _, qtype := questionOf(r); qtype == dns.TypeAXFR || qtype == dns.TypeIXFR {
		ctx = context.WithValue(ctx, writerKey{}, w)
	}
	return h.next.ServeDNS(ctx, w, r)
}

// restoreWriter gives the plugin transfer the writer that was kept.
type restoreWriter struct{ next plugin.Handler }

// Name implements plugin.Handler.
func (restoreWriter) Name() string { return "clusterdns_restore_writer" }

// ServeDNS implements plugin.Handler.
func (h restoreWriter) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if kept, ok := ctx.Value(writerKey{}).(dns.ResponseWriter); ok {
		w = kept
	}
	return h.next.ServeDNS(ctx, w, r)
}
