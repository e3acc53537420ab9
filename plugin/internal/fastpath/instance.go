package fastpath

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"
	"golang.org/x/time/rate"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/recent"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/tcp"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
)

// variable is the environment variable that turns the fast path off, with the value "off":
// for troubleshooting and benchmarks.
const variable = "CLUSTERDNS_FASTPATH"

// listeners are the listeners of the process. A reload only changes what they serve.
var listeners = udp.NewRegistry(clog.NewWithPlugin("clusterdns").Warningf)

// Handler is what the fast path needs from the handler of a server block.
type Handler struct {
	Directive   string
	Store       func() *cluster.Store // called after the server block has started
	Heard       func() int64          // returns when the API server was last heard of, as unix time, or 0; called as Store is
	View        *resolve.View
	Fallthrough dnsname.Zones // zones in which the next plugin may know a name
	// Leaves reports whether the handler leaves a question to the next plugin whatever the name. It may
	// be nil.
	Leaves    func(*answer.Question) bool
	Completer *completion.Completer // nil if nothing is completed
	Meter     func(*dnsserver.Server) reply.Meter
	// Asked is told of every question that is answered. It is nil if nobody wants to know.
	Asked func(client netip.Addr, qname *dnsname.Name, rcode int)
	// Listening is called with true when CoreDNS has begun to open the server's sockets.
	Listening func(bool)
	// Ahead is the number of plugins in the server block before ours.
	Ahead int
}

// Metrics counts what the fast path does.
type Metrics interface {
	// Answers records whether the fast path answers at the listener of a server.
	Answers(server string, enabled bool)
	Listener(server string) udp.ListenerMeter
	// Zone returns a meter that counts in the meter of the server block and in the metrics
	// of the plugin prometheus.
	Zone(block reply.Meter, server, zone, plugin, proto string) reply.Meter
	// Cache returns a meter that counts answers of the plugin cache in its metrics, and others
	// in the meter of the server block. It reports false if the plugin has no such metrics.
	Cache(block reply.Meter, server, zones string) (reply.Meter, bool)
}

// Instance is the fast path of one instance of CoreDNS.
type Instance struct {
	blocks     []corefile.Block
	unread     error // why blocks could not be read
	handlers   map[*dnsserver.Config]*Handler
	beside     map[*dnsserver.Config][]*Handler
	decorators map[*dnsserver.Config]bool // whether a plugin of the block other than shed decorates writers
	hooked     []*dnsserver.Config
	metrics    Metrics
	log        clog.P
	started    chan struct{} // closed by serving
	serving    func()        // is called when CoreDNS can stop a server at each listener of the hooked blocks

	mu         sync.Mutex
	plans      map[string]*plan // by the address of the listener, as CoreDNS writes it
	servers    []*dnsserver.Server
	joined     *dnsserver.Server // a server with a listener of ours, or nil
	kept       *recent.Table     // replies of CoreDNS's cache, of all listeners; nil if there are none
	keeping    uint32            // number of blocks that keep replies
	restarting bool              // CoreDNS is starting another instance in place of this one
	stopped    bool

	hold   hold
	heads  sync.Map       // *tcp.Server by *dnsserver.Server: see HeadOf
	aside  *fair.Places   // for questions of all connections that are answered aside
	crowd  *tcp.Crowd     // all connections
	crowds rate.Sometimes // of log lines
	panics rate.Sometimes // of log lines
}

// What happens at a listener where nothing, or not everything, is answered.
const (
	handsOver = "answers nothing and hands questions over"
	isOff     = "is off"
	leavesOut = "leaves a server block out"
)

const (
	// maxAside is the largest number of questions over TCP and TLS that are answered aside. Those of
	// a connection that get no place there are answered one after the other.
	maxAside = 4096
	// loggedPanics is the number of panics that are logged one by one. After them, one per second
	// is logged.
	loggedPanics = 10
)

type instanceKey struct{}

// Of returns the fast path of the instance that a controller belongs to.
func Of(c *caddy.Controller, m Metrics, log clog.P) *Instance {
	if f, ok := c.Get(instanceKey{}).(*Instance); ok {
		return f
	}
	f := newInstance(c, m, log)
	c.Set(instanceKey{}, f)
	return f
}

func newInstance(c *caddy.Controller, m Metrics, log clog.P) *Instance {
	f := &Instance{
		handlers: map[*dnsserver.Config]*Handler{}, beside: map[*dnsserver.Config][]*Handler{}, decorators: map[*dnsserver.Config]bool{},
		metrics: m, log: log, plans: map[string]*plan{}, started: make(chan struct{}),
		aside: fair.NewPlaces(maxAside), panics: rate.Sometimes{First: loggedPanics, Interval: time.Second},
	}
	f.serving = sync.OnceFunc(func() { close(f.started) })
	f.crowds.Interval, f.crowd = time.Minute, tcp.NewCrowd(f.crowded)
	f.blocks, f.unread = corefile.Blocks(c)
	c.OnRestart(func() error {
		awaitStart([]*Instance{f}, startPatience)
		return f.setRestarting(true)
	})
	c.OnRestartFailed(func() error { return f.setRestarting(false) })
	c.OnShutdown(f.shutDown)
	c.OnFinalShutdown(f.finish)
	// Of several blocks on one listener, CoreDNS calls the decorator of the last block that
	// has one. So every such block gets our hook.
	for _, b := range f.blocks {
		if len(b.Configs) > 0 && b.Configs[0].UDPDecorateWriterFunc != nil {
			f.decorators[b.Configs[0]] = b.Tokens["shed"] == nil
			f.hook(b.Configs[0])
		}
	}
	return f
}

// Blocks returns the server blocks of the Corefile.
func (f *Instance) Blocks() []corefile.Block { return f.blocks }

// Join makes the fast path answer for a server block where it can. It must be called before
// the plugin itself is added. CoreDNS has no hook for the sockets of transports other than
// plain DNS, so the handler does not wait for those.
func (f *Instance) Join(server *dnsserver.Config, h Handler) {
	h.Listening(server.Transport != transport.DNS)
	f.handlers[server] = &h
	if server.UDPDecorateWriterFunc == nil {
		f.hook(server)
	}
}

// JoinBeside makes the fast path answer for a handler with zones of its own, in a server block that
// another handler joins for. It must be called before the plugin itself is added.
func (f *Instance) JoinBeside(server *dnsserver.Config, h Handler) {
	f.beside[server] = append(f.beside[server], &h)
}

// hook makes CoreDNS call us for each UDP listener before it serves. It keeps an existing
// decorator.
func (f *Instance) hook(server *dnsserver.Config) {
	f.hooked = append(f.hooked, server)
	before := server.UDPDecorateWriterFunc
	server.UDPDecorateWriterFunc = func(s *dnsserver.Server) dns.DecorateWriter {
		f.listening()
		var decorate dns.DecorateWriter
		if before != nil {
			decorate = before(s)
		}
		listener := f.start(s)
		if listener == nil {
			return decorate
		}
		return func(w dns.Writer) dns.Writer {
			listener.Misrouted() // called for each packet on CoreDNS's own socket
			f.hold.arrived(w)
			if decorate == nil {
				return w
			}
			return decorate(w)
		}
	}
}

// listening records that CoreDNS has begun to open its sockets, which it does for all
// servers together.
func (f *Instance) listening() {
	for _, h := range f.handlers {
		h.Listening(true)
	}
}

// noteStart records that a server has started, so far as we have a part in it. The caller has locked
// f.mu.
func (f *Instance) noteStart(s *dnsserver.Server) {
	f.servers = append(f.servers, s)
	if f.allStarted() {
		time.AfterFunc(lastStep, f.serving)
	}
}

// hasServers reports whether there is a server that CoreDNS calls a hook for.
func (f *Instance) hasServers() bool {
	return slices.ContainsFunc(f.hooked, func(cfg *dnsserver.Config) bool { return cfg.Transport == transport.DNS })
}

// allStarted reports whether all servers have started that CoreDNS calls a hook for. The caller has
// locked f.mu.
func (f *Instance) allStarted() bool {
	for _, cfg := range f.hooked {
		if cfg.Transport != transport.DNS {
			continue
		}
		for _, address := range corefile.Listeners(cfg) {
			if f.startedAt(address) < f.socketsAt(address) {
				return false
			}
		}
	}
	return true
}

// startedAt returns the number of servers that have started at an address.
func (f *Instance) startedAt(address string) (n int) {
	for _, s := range f.servers {
		if s.Addr == address {
			n++
		}
	}
	return n
}

// socketsAt returns the number of servers that CoreDNS makes for an address: what multisocket says in
// the first server block there, or one.
func (f *Instance) socketsAt(address string) int {
	for i := range f.blocks {
		for _, cfg := range f.blocks[i].Configs {
			if corefile.Listens(cfg, address) {
				return max(1, cfg.NumSockets)
			}
		}
	}
	return 1
}

// start begins to read at a listener. It returns nil if CoreDNS must read alone.
func (f *Instance) start(s *dnsserver.Server) *udp.Listener {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil
	}
	defer f.noteStart(s)
	address, err := netip.ParseAddrPort(listenAddress(s.Addr))
	if err != nil {
		f.log.Warningf("fast path is off at %s: %v", s.Addr, err)
		return nil
	}
	p, planned := f.plans[s.Addr]
	if !planned {
		p = f.plan(s, address)
		f.plans[s.Addr] = p
		for _, reason := range p.left {
			f.log.Infof("fast path at %s %s: %v", s.Addr, leavesOut, reason)
		}
	}
	if p.backend != nil {
		l, err := listeners.Serve(address, p.backend)
		if err == nil {
			f.report(s.Addr, p, handsOver, planned)
			f.joined = s
			return l
		}
		p.backend, p.reason, planned = nil, err, false
	}
	listeners.StopAt(address)
	f.report(s.Addr, p, isOff, planned)
	return nil
}

// report sets the metric of a listener, and logs once why nothing is answered there.
func (f *Instance) report(server string, p *plan, state string, again bool) {
	switch {
	case p.reason != nil:
		f.metrics.Answers(server, false)
		if !again {
			f.log.Infof("fast path %s at %s: %v", state, server, p.reason)
		}
	case p.backend != nil:
		f.metrics.Answers(server, true)
	}
}

// listenAddress returns the address of a listener without its transport. CoreDNS writes
// ":53" for all addresses.
func listenAddress(server string) string {
	address := strings.TrimPrefix(server, transport.DNS+"://")
	if strings.HasPrefix(address, ":") {
		return "[::]" + address
	}
	return address
}
