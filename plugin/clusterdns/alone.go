package clusterdns

import (
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/tcp"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

// Source says where a plugin with zones of its own has its objects from, in a server block without
// kubernetes and clusterdns.
type Source struct {
	Directive string
	Place     string // in the Corefile, for errors
	Config    kube.Config
	Log       clog.P
}

// Alone returns a ClusterDNS without zones, which is no handler of the server block but has a store
// and all else for another one. It must be called before the other handler is added.
func Alone(c *caddy.Controller, s Source) *ClusterDNS {
	server := dnsserver.GetConfig(c)
	d := newHandler(s.Directive, &config{place: s.Place}, server, s.Log)
	chain.Arrange(server, c.ServerBlockKeys, d.primary.Track, nil, func(*dnsserver.Server) *tcp.Server { return nil })
	corefile.AtStart(c, func() error { return d.lookAround(c, nil, s.Log) })
	watchers.Attach(c, watch.Need{
		Directive: s.Directive,
		Place:     s.Place,
		Source:    func() kube.Config { return s.Config },
		Options:   kube.Options{Log: s.Log, ManifestError: collectors.ManifestError, Observer: collectors.Observer()},
		Timeout:   watch.DefaultTimeout,
		Use:       d.use,
	})
	watch.OnServing(c, func() { d.listening.Store(true) })
	d.notifySecondaries(c)
	return d
}
