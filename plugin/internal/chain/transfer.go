package chain

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

// passMinimal takes transfers past the plugin minimal, if a server block has it ahead of
// the plugin transfer: minimal sends only the last message of a reply, and a transfer has
// many.
func passMinimal(server *dnsserver.Config) {
	before, behind := pluginIndex(server, "minimal"), pluginIndex(server, "transfer")
	if before < 0 || behind < before {
		return
	}
	server.Plugin = slices.Insert(server.Plugin, behind, func(next plugin.Handler) plugin.Handler { return restoreWriter{next} })
	server.Plugin = slices.Insert(server.Plugin, before, func(next plugin.Handler) plugin.Handler { return keepWriter{next} })
}

// pluginIndex returns the index of a plugin in a server block, or -1.
func pluginIndex(server *dnsserver.Config, name string) int {
	return slices.IndexFunc(server.Plugin, func(p plugin.Plugin) bool {
		made := runtime.FuncForPC(reflect.ValueOf(p).Pointer())
		return made != nil && strings.HasPrefix(made.Name(), "github.com/coredns/coredns/plugin/"+name+".")
	})
}

// writerKey is the context key of the writer from before minimal.
type writerKey struct{}

// keepWriter stores the writer of a transfer in the context.
type keepWriter struct{ next plugin.Handler }

// Name implements plugin.Handler.
func (keepWriter) Name() string { return "clusterdns_keep_writer" }

// ServeDNS implements plugin.Handler.
func (h keepWriter) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if len(r.Question) > 0 && (r.Question[0].Qtype == dns.TypeAXFR || r.Question[0].Qtype == dns.TypeIXFR) {
		ctx = context.WithValue(ctx, writerKey{}, w)
	}
	return h.next.ServeDNS(ctx, w, r)
}

// restoreWriter passes the stored writer to the plugin transfer.
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
