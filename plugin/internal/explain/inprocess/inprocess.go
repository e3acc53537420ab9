// Package inprocess asks the plugin chain of a server in this process, as a client of a chosen address would, and says
// which plugin has replied. Nothing is sent, unless a plugin does.
package inprocess

import (
	"context"
	"net"
	"net/netip"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/rewrite"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// Reply is what the server says to one question.
type Reply struct {
	Type    string        `json:"type"`
	Rcode   string        `json:"rcode"` // none if there was no reply in time
	Plugin  string        `json:"plugin,omitempty"`
	Records []string      `json:"records,omitempty"`
	Keep    uint32        `json:"keepSeconds"` // for how long others may keep the reply
	Targets []string      `json:"-"`           // of aliases
	alias   bool          // no record is of the type that is asked for
	Took    time.Duration `json:"-"`
}

// Answers reports whether the reply has records of the type that is asked for.
func (r *Reply) Answers() bool { return r.Rcode == "NOERROR" && len(r.Records) > 0 && !r.alias }

// EndsSearch reports whether the reply is one of aliases alone, at which resolvers give up.
func (r *Reply) EndsSearch() bool { return r.Rcode == "NOERROR" && r.alias }

// Patience is how long a question may take, as long as resolvers wait.
const Patience = 5 * time.Second

// Asker asks a server in this process.
type Asker struct {
	Server *dnsserver.Server
	Client netip.Addr
	ctx    context.Context
}

// New returns an Asker whose questions do not outlast a context.
func New(ctx context.Context) Asker { return Asker{ctx: ctx} }

// Ask asks one question, and waits for the reply.
func (a *Asker) Ask(name string, qtype uint16) Reply {
	question := new(dns.Msg)
	question.SetQuestion(name, qtype)
	question.SetEdns0(1232, false)
	w := &writer{client: a.Client, done: make(chan struct{})}
	ctx := a.context()
	begun := time.Now()
	go func() {
		a.Server.ServeDNS(ctx, w, question)
		close(w.done)
	}()
	select {
	case <-w.done:
	case <-a.ctx.Done():
		return Reply{Type: dns.TypeToString[qtype], Rcode: "none", Took: time.Since(begun)}
	case <-time.After(Patience):
		return Reply{Type: dns.TypeToString[qtype], Rcode: "none", Took: Patience}
	}
	r := replyOf(w.reply, w.plugin, qtype)
	r.Took = time.Since(begun)
	return r
}

func (a *Asker) context() context.Context {
	ctx := context.WithValue(context.Background(), dnsserver.Key{}, a.Server)
	return context.WithValue(ctx, dnsserver.LoopKey{}, 0)
}

func (a *Asker) request(name string, qtype uint16) request.Request {
	return request.Request{W: &writer{client: a.Client}, Req: new(dns.Msg).SetQuestion(name, qtype)}
}

// Takes reports whether plugins such as view let a server block have a question.
func (a *Asker) Takes(cfg *dnsserver.Config, name string, qtype uint16) bool {
	state := a.request(name, qtype)
	return !slices.ContainsFunc(cfg.FilterFuncs, func(f dnsserver.FilterFunc) bool { return !f(a.context(), &state) })
}

// Rewritten returns the name that the rules of rewrite make of another one.
func (a *Asker) Rewritten(cfg *dnsserver.Config, name string, qtype uint16) string {
	rewrites, _ := cfg.Handler("rewrite").(rewrite.Rewrite)
	state := a.request(name, qtype)
	for _, rule := range rewrites.Rules {
		_, done := rule.Rewrite(a.context(), state)
		if done == rewrite.RewriteDone && rule.Mode() == rewrite.Stop {
			break
		}
	}
	return dns.CanonicalName(state.Req.Question[0].Name)
}

func replyOf(m *dns.Msg, plugin string, qtype uint16) Reply {
	r := Reply{Type: dns.TypeToString[qtype], Plugin: plugin, Rcode: "none"}
	if m == nil {
		return r
	}
	r.Rcode = dns.RcodeToString[m.Rcode]
	r.alias = len(m.Answer) > 0 && !slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return qtype == dns.TypeANY || rr.Header().Rrtype == qtype })
	for i, rr := range m.Answer {
		r.Records = append(r.Records, strings.Join(strings.Fields(rr.String()), " "))
		if ttl := rr.Header().Ttl; i == 0 || ttl < r.Keep {
			r.Keep = ttl
		}
		if alias, ok := rr.(*dns.CNAME); ok {
			r.Targets = append(r.Targets, alias.Target)
		}
	}
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok && len(m.Answer) == 0 && (m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError) {
			r.Keep = min(soa.Minttl, soa.Hdr.Ttl)
		}
	}
	return r
}

// writer keeps the reply, and the plugin that wrote it.
type writer struct {
	client netip.Addr
	reply  *dns.Msg
	plugin string
	done   chan struct{}
}

// WriteMsg implements dns.ResponseWriter.
func (w *writer) WriteMsg(m *dns.Msg) error {
	w.reply, w.plugin = m.Copy(), writtenBy()
	return nil
}

// writtenBy returns the name of the plugin whose ServeDNS is the innermost caller.
func writtenBy() string {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, ".ServeDNS") {
			if folder, _, _ := strings.Cut(path.Base(f.Function), "."); folder != "dnsserver" { // no plugin
				return folder
			}
			return ""
		}
		if !more {
			return ""
		}
	}
}

// Write implements dns.ResponseWriter.
func (w *writer) Write(packed []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(packed); err != nil {
		return 0, err
	}
	w.reply, w.plugin = m, writtenBy()
	return len(packed), nil
}

// LocalAddr implements dns.ResponseWriter.
func (w *writer) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 53} }

// RemoteAddr implements dns.ResponseWriter.
func (w *writer) RemoteAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.client, 40000))
}

// Close implements dns.ResponseWriter.
func (w *writer) Close() error { return nil }

// TsigStatus implements dns.ResponseWriter.
func (w *writer) TsigStatus() error { return nil }

// TsigTimersOnly implements dns.ResponseWriter.
func (w *writer) TsigTimersOnly(bool) {}

// Hijack implements dns.ResponseWriter.
func (w *writer) Hijack() {}
