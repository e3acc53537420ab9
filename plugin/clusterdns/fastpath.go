package clusterdns

import (
	"context"
	"net/netip"
	"strings"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
)

// fastPathVariable is the environment variable that turns the fast path off, with
// the value "off": for who looks for the cause of something, and for a comparison.
const fastPathVariable = "CLUSTERDNS_FASTPATH"

// listeners are those of the process: a reload changes what they serve.
var listeners = udp.NewRegistry(clog.NewWithPlugin("clusterdns").Warningf)

// fastPath is what one instance of CoreDNS has of the fast path.
type fastPath struct {
	blocks   []corefile.Block
	unread   error // why there are no blocks
	handlers map[*dnsserver.Config]*ourBlock
	others   map[*dnsserver.Config]bool // blocks with a decorator of another plugin
	log      clog.P

	mu      sync.Mutex
	plans   map[string]*plan // by the listener's address, as CoreDNS writes it
	servers []*dnsserver.Server
	stopped bool

	ending ending
}

// ourBlock is a server block with our plugin.
type ourBlock struct {
	d     *ClusterDNS
	word  string // the directive's
	ahead int    // plugins that were there before ours
}

type fastPathKey struct{}

// fastPathOf is that of the instance that a controller belongs to.
func fastPathOf(c *caddy.Controller, log clog.P) *fastPath {
	if f, ok := c.Get(fastPathKey{}).(*fastPath); ok {
		return f
	}
	f := &fastPath{handlers: map[*dnsserver.Config]*ourBlock{}, others: map[*dnsserver.Config]bool{}, log: log, plans: map[string]*plan{}}
	f.ending.held = make(chan struct{}, 1)
	f.blocks, f.unread = corefile.Blocks(c)
	c.Set(fastPathKey{}, f)
	c.OnShutdown(func() error {
		// CoreDNS cannot end a server that has not started yet, and it has not while
		// sockets are opened beside it.
		f.mu.Lock()
		defer f.mu.Unlock()
		f.stopped = true
		listeners.Stop(f)
		return nil
	})
	c.OnFinalShutdown(f.finish)
	// Of several blocks on one listener, CoreDNS asks the last that has something to
	// say to its sockets: whichever it is, we are to hear of it.
	for _, b := range f.blocks {
		if len(b.Configs) > 0 && b.Configs[0].UDPDecorateWriterFunc != nil {
			f.others[b.Configs[0]] = b.Tokens["shed"] == nil
			f.hook(b.Configs[0])
		}
	}
	return f
}

// join has a server block answered from the fast path where that can be. It is
// called before the plugin itself is added. Of sockets for other transports than plain
// DNS we do not hear, so they are not waited for.
func (f *fastPath) join(server *dnsserver.Config, word string, d *ClusterDNS) {
	d.deaf.Store(server.Transport == transport.DNS)
	f.handlers[server] = &ourBlock{d: d, word: word, ahead: len(server.Plugin)}
	if server.UDPDecorateWriterFunc == nil {
		f.hook(server)
	}
}

// hook has us called for each UDP listener before it serves. What was to be called
// before still is.
func (f *fastPath) hook(server *dnsserver.Config) {
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
			listener.Misrouted() // called once for each packet of CoreDNS's own socket
			f.ending.hold()
			if decorate == nil {
				return w
			}
			return decorate(w)
		}
	}
}

// listening notes that CoreDNS has begun to open its sockets, which it does all at once.
func (f *fastPath) listening() {
	for _, o := range f.handlers {
		o.d.deaf.Store(false)
	}
}

// start begins to read at a listener. It returns nil if CoreDNS is to do so alone.
func (f *fastPath) start(s *dnsserver.Server) *udp.Listener {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil
	}
	f.servers = append(f.servers, s)
	address, err := netip.ParseAddrPort(listenAddress(s.Addr))
	if err != nil {
		f.log.Warningf("fast path is off at %s: %v", s.Addr, err)
		return nil
	}
	p, planned := f.plans[s.Addr]
	if !planned {
		p = f.plan(s, address)
		f.plans[s.Addr] = p
	}
	if p.service != nil {
		l, err := listeners.Serve(address, p.service)
		if err == nil {
			f.tell(s.Addr, p, "answers nothing and hands questions over", planned)
			return l
		}
		p.service, p.reason, planned = nil, err.Error(), false
	}
	listeners.StopAt(address)
	f.tell(s.Addr, p, "is off", planned)
	return nil
}

// tell says what is done at a listener, and once why nothing is answered there.
func (f *fastPath) tell(server string, p *plan, state string, again bool) {
	switch {
	case p.reason != "":
		metrics.fastPath.WithLabelValues(server).Set(0)
		if !again {
			f.log.Infof("fast path %s at %s: %s", state, server, p.reason)
		}
	case p.service != nil:
		metrics.fastPath.WithLabelValues(server).Set(1)
	}
}

// listenAddress is the address of a listener without its transport. CoreDNS writes
// ":53" for all addresses.
func listenAddress(server string) string {
	address := strings.TrimPrefix(server, transport.DNS+"://")
	if strings.HasPrefix(address, ":") {
		return "[::]" + address
	}
	return address
}

// contextOf is what a server's own reader gives with each message.
func contextOf(s *dnsserver.Server) context.Context {
	ctx := context.WithValue(context.Background(), dnsserver.Key{}, s)
	return context.WithValue(ctx, dnsserver.LoopKey{}, 0)
}
