package clusterdns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/clusterdns/udp"
	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

// fastPathVariable is the environment variable that turns the fast path off, with
// the value "off": for who looks for the cause of something, and for a comparison.
const fastPathVariable = "CLUSTERDNS_FASTPATH"

// listeners are those of the process: a reload changes what they serve.
var listeners = udp.NewRegistry(clog.NewWithPlugin("clusterdns").Warningf)

// fastPath is what one instance of CoreDNS has of the fast path.
type fastPath struct {
	blocks   []serverBlock
	unread   error // why there are no blocks
	handlers map[*dnsserver.Config]*ourBlock
	log      clog.P

	mu      sync.Mutex
	plans   map[string]*plan // by the listener's address, as CoreDNS writes it
	stopped bool
}

// ourBlock is a server block with our plugin.
type ourBlock struct {
	d     *ClusterDNS
	word  string // the directive's
	ahead int    // plugins that were there before ours
}

// plan is what is to be done at one listener.
type plan struct {
	service *udp.Service
	reason  string // why there is no service, empty where we have no server block
}

type fastPathKey struct{}

// fastPathOf is that of the instance that a controller belongs to.
func fastPathOf(c *caddy.Controller, log clog.P) *fastPath {
	if f, ok := c.Get(fastPathKey{}).(*fastPath); ok {
		return f
	}
	f := &fastPath{handlers: map[*dnsserver.Config]*ourBlock{}, log: log, plans: map[string]*plan{}}
	f.blocks, f.unread = serverBlocks(c)
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
	// Of several blocks on one listener, CoreDNS asks the last that has something to
	// say to its sockets: whichever it is, we are to hear of it.
	for _, b := range f.blocks {
		if len(b.configs) > 0 && b.configs[0].UDPDecorateWriterFunc != nil {
			f.hook(b.configs[0])
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
			listener.Stray() // called once for each packet of CoreDNS's own socket
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

// start begins to answer at a listener. It returns nil if CoreDNS is to do so alone.
func (f *fastPath) start(s *dnsserver.Server) *udp.Listener {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil
	}
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
			metrics.fastPath.WithLabelValues(s.Addr).Set(1)
			return l
		}
		p.service, p.reason, planned = nil, err.Error(), false
	}
	listeners.StopAt(address)
	if p.reason != "" && !planned {
		metrics.fastPath.WithLabelValues(s.Addr).Set(0)
		f.log.Infof("fast path is off at %s: %s", s.Addr, p.reason)
	}
	return nil
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

// plan decides what is answered at a listener.
func (f *fastPath) plan(s *dnsserver.Server, address netip.AddrPort) *plan {
	switch {
	case os.Getenv(fastPathVariable) == "off":
		return &plan{reason: fastPathVariable + " is off"}
	case address.Port() == 0:
		return &plan{reason: "the system chooses the port"}
	case f.unread != nil:
		return &plan{reason: f.unread.Error()}
	}
	service := &udp.Service{Owner: f, Secrets: s.TsigSecret, Handler: handlerOf(s), Meter: newListenerMeter(s.Addr)}
	var reasons []string
	for i := range f.blocks {
		if err := f.addZones(service, &f.blocks[i], s); err != nil {
			reasons = append(reasons, err.Error())
			if errors.As(err, new(listenerError)) {
				return &plan{reason: err.Error()}
			}
		}
	}
	slices.SortStableFunc(service.Zones, func(a, b udp.Zone) int { return cmp.Compare(b.Origin.Labels(), a.Origin.Labels()) })
	if !slices.ContainsFunc(service.Zones, func(z udp.Zone) bool { return z.Block != nil }) {
		return &plan{reason: strings.Join(slices.Compact(reasons), "; ")}
	}
	for _, reason := range slices.Compact(reasons) {
		f.log.Infof("fast path at %s leaves a server block out: %s", s.Addr, reason)
	}
	return &plan{service: service}
}

// listenerError is a reason that counts for all server blocks of a listener.
type listenerError struct{ error }

// addZones adds the zones of a server block that are served at the listener. If they
// are not to be answered from here, the error says why, and their questions are
// handed over.
func (f *fastPath) addZones(service *udp.Service, b *serverBlock, s *dnsserver.Server) error {
	var block *udp.Block
	var left error
	for i, cfg := range b.configs {
		if !listens(cfg, s.Addr) {
			continue
		}
		if reason := unknownListener(b, cfg); reason != "" {
			return listenerError{errors.New(reason)}
		}
		ours := f.handlers[b.configs[0]]
		if ours != nil && block == nil && left == nil {
			block, left = ours.block(b, s)
		}
		origin, err := zone.ParseOrigin(cfg.Zone)
		if err != nil {
			return listenerError{fmt.Errorf("zone %s of block %d: %w", cfg.Zone, i+1, err)}
		}
		service.Zones = append(service.Zones, udp.Zone{Origin: origin, Block: block})
	}
	return left
}

// unknownListener says what makes a listener one whose packets are not for us to
// read, whatever block they are for.
func unknownListener(b *serverBlock, cfg *dnsserver.Config) string {
	switch {
	case len(cfg.FilterFuncs) > 0 || cfg.ViewName != "":
		return "the plugin view chooses the server block by more than the name"
	case cfg.ProxyProtoConnPolicy != nil:
		return "the plugin proxyproto changes who the client is"
	case b.Tokens["dynupdate"] != nil:
		return "the plugin dynupdate takes messages that are no questions"
	}
	return ""
}

// handlerOf hands a message to a server, as its own socket's reader does.
func handlerOf(s *dnsserver.Server) dns.Handler {
	ctx := context.WithValue(context.Background(), dnsserver.Key{}, s)
	ctx = context.WithValue(ctx, dnsserver.LoopKey{}, 0)
	return dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) { s.ServeDNS(ctx, w, r) })
}
