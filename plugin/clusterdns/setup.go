package clusterdns

import (
	"context"
	"os"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/upstream"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/metrics"
	"github.com/clusterdns/clusterdns/plugin/internal/recent"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// watchers, collectors and tally belong to the process: every reload makes a new instance, and
// watchers and counters must survive it.
var (
	watchers   = watch.NewRegistry()
	tally      = top.New(time.Now)
	collectors = metrics.New(prometheus.DefaultRegisterer, watchers.Snapshots, tally.Report)
)

func init() { plugin.Register("clusterdns", SetupAs("clusterdns")) }

// SetupAs returns the setup function of the plugin under the name of a directive.
func SetupAs(directive string) caddy.SetupFunc {
	return func(c *caddy.Controller) error {
		if err := setup(directive, c); err != nil {
			return plugin.Error(directive, err)
		}
		return nil
	}
}

func setup(directive string, c *caddy.Controller) error {
	if err := claim(directive, c); err != nil {
		return err
	}
	server := dnsserver.GetConfig(c)
	log := clog.NewWithPlugin(directive)
	cfg, err := configure(c, server.Root, log)
	if err != nil {
		return err
	}
	ahead := len(server.Plugin)
	d := newHandler(directive, cfg, server, log)
	fast := fastpath.Of(c, collectors.FastPath(), log)
	chain.Arrange(server, c.ServerBlockKeys, d.primary.Track, d.asked, fast.HeadOf)
	corefile.AtStart(c, func() error { return d.lookAround(c, fast.Blocks(), log) })
	watchers.Attach(c, watch.Need{
		Directive: directive,
		Place:     cfg.sourcePlace(),
		Source:    func() kube.Config { return cfg.sourceFor(server) },
		Options:   kube.Options{Log: log, ManifestError: collectors.ManifestError, Observer: collectors.Observer()},
		Timeout:   cfg.startupTimeout,
		State:     cfg.state,
		Use:       d.use,
	})
	d.notifySecondaries(c)
	inquire(c, cfg, fast, log)
	fast.Join(server, d.onFastPath(ahead))
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		d.Next = next
		return d
	})
	return nil
}

// claim returns an error if a server block uses the plugin under two names.
func claim(directive string, c *caddy.Controller) error {
	type claimed struct{ block int }
	key := claimed{c.ServerBlockIndex}
	if other, ok := c.Get(key).(string); ok && other != directive {
		c.Next() // for the error to have the directive's line
		return c.Errf("%s and %s are the same plugin: expected one of them in a server block", other, directive)
	}
	c.Set(key, directive)
	return nil
}

// configure returns what the directive and the environment ask for, and warns of what has no effect.
func configure(c *caddy.Controller, root string, log clog.P) (*config, error) {
	cfg, err := parse(c, root)
	if err != nil {
		return nil, err
	}
	if err := cfg.searchFrom(os.Getenv); err != nil {
		return nil, err
	}
	if err := cfg.noAAAAFrom(os.Getenv); err != nil {
		return nil, err
	}
	if err := cfg.explainFrom(os.Getenv); err != nil {
		return nil, err
	}
	if err := cfg.topFrom(os.Getenv); err != nil {
		return nil, err
	}
	cfg.checkSearch()
	for _, text := range cfg.warnings.All() {
		log.Warning(text)
	}
	return cfg, nil
}

// newHandler returns the handler of a server block, and puts a gate before a plugin cache
// ahead of it.
func newHandler(directive string, cfg *config, server *dnsserver.Config, log clog.P) *ClusterDNS {
	d := &ClusterDNS{
		directive: directive,
		view:      cfg.view,
		fall:      cfg.fall,
		upstream:  upstream.New(),
		search:    newSearchPath(resolvConf, cfg.place, log),
		primary:   &xfr.Primary{Warn: func(text string) { log.Warning(text) }},
		gate:      chain.GateCache(server, recent.Missed),
		answers:   collectors.Servers(),
		noAAAA:    silencer{mode: cfg.noAAAA.mode, silenced: collectors.Silenced()},
	}
	d.gate.Add(d)
	d.primary.Serve(xfr.ClusterZones{View: &d.view}, d.view.Origins)
	d.completer = newCompleter(cfg, d, d.search.node)
	d.asked = newCounter(cfg, d)
	return d
}

// newCompleter returns the completer of a handler, or nil if it completes nothing. node is
// the search list of the server's own node.
func newCompleter(cfg *config, d *ClusterDNS, node []string) *completion.Completer {
	return completion.New(completion.Config{
		Mode:        cfg.search.mode,
		Suffixes:    cfg.suffixes(node),
		Labels:      cfg.search.labels,
		View:        &d.view,
		Fallthrough: d.fall,
		Lookup: func(ctx context.Context, state request.Request, name string, qtype uint16) (*dns.Msg, error) {
			return d.upstream.Lookup(ctx, state, name, qtype)
		},
		MayWait: udp.WillBlock,
		Counter: collectors.Searches(),
	})
}

// lookAround examines the rest of the Corefile when the server block starts.
func (d *ClusterDNS) lookAround(c *caddy.Controller, blocks []corefile.Block, log clog.P) error {
	server := dnsserver.GetConfig(c)
	d.view.Local = localAddrs(server.ListenHosts)
	ahead := corefile.Ahead(server, d.directive)
	d.noAAAA.lookAround(ahead, d)
	d.limit = chain.ReplyLimitOf(server)
	d.bare = server.Handler("minimal") != nil
	if n := corefile.MaxConcurrent(server, blocks); n > 0 {
		d.upstreams = fair.NewPlaces(n)
	}
	d.gate.ServesOthers = corefile.CacheServesOthers(ahead)
	if i := c.ServerBlockIndex; i < len(blocks) && d.view.Pods != resolve.PodsVerified && blocks[i].Mentions("autopath", "@"+d.directive) {
		d.search.warn()
	}
	if d.completer == nil {
		return nil
	}
	if server.Handler("autopath") != nil {
		return plugin.Error(d.directive, c.Err("search, or "+searchVariable+", and the plugin autopath both complete search paths: expected one of them"))
	}
	d.completer.LookAround(server, d.directive, blocks, log)
	return nil
}

// use makes a watcher the source of answers.
func (d *ClusterDNS) use(w *kube.Watcher) {
	d.store, d.heard, d.restamp, d.primary.Store = w.Store(), w.Heard, w.Restamp, w.Store()
	d.started.Store(true)
}

// notifySecondaries notifies secondaries of changes as long as the instance runs.
func (d *ClusterDNS) notifySecondaries(c *caddy.Controller) {
	ctx, stop := context.WithCancel(context.Background())
	d.primary.Ended = ctx.Done()
	renewed := make(chan struct{})
	c.OnStartup(func() error {
		if watchers.Reloads(c) {
			d.primary.Renewed = renewed
		}
		block, err := corefile.OwnBlock(c)
		if err != nil {
			return err
		}
		d.primary.Policy = xfr.ParsePolicy(block.Tokens["transfer"], block.Zones())
		return nil
	})
	watch.OnServing(c, func() {
		if len(d.primary.Policy) > 0 {
			go d.notify(ctx, renewed)
		}
	})
	// The end need not be awaited: a notification in progress does no harm, and may take
	// seconds.
	c.OnShutdown(func() error {
		stop()
		return nil
	})
}

// notify notifies secondaries of changes. After a reload it first gives the zones a new
// serial, once the previous instance has ended: the zones may have other records now, and
// the previous instance has sent its own under the old serial.
func (d *ClusterDNS) notify(ctx context.Context, renewed chan<- struct{}) {
	if d.primary.Renewed != nil {
		select {
		case <-d.restamp():
			close(renewed)
		case <-ctx.Done():
			return
		}
	}
	d.primary.Notify(ctx)
}

// Transfer returns the records of a zone, as the plugin transfer requests them.
func (d *ClusterDNS) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	return d.primary.Transfer(xfr.ClusterZones{View: &d.view}, name, serial)
}

// onFastPath returns what the fast path needs from the handler. ahead is how many plugins
// the server block had before ours.
func (d *ClusterDNS) onFastPath(ahead int) fastpath.Handler {
	h := fastpath.Handler{
		Directive:   d.directive,
		Store:       func() *cluster.Store { return d.store },
		Heard:       func() int64 { return d.heard() },
		View:        &d.view,
		Fallthrough: d.fall,
		Completer:   d.completer,
		Meter:       d.meter,
		Listening:   d.listening.Store,
		Ahead:       ahead,
	}
	if d.asked != nil {
		h.Asked = d.asked.Answered
	}
	return h
}

// meter returns the meter for answers at the sockets of a server.
func (d *ClusterDNS) meter(s *dnsserver.Server) reply.Meter {
	counter := d.answers.Of(context.WithValue(context.Background(), dnsserver.Key{}, s))
	if d.completer == nil {
		return counter.AtSockets(nil)
	}
	return counter.AtSockets(d.completer.Counter)
}
