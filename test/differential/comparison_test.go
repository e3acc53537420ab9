package differential

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/labels"
)

// scene is the data that both servers answer from. It does not change while questions are
// compared.
type scene struct {
	*corefile
	world    *world
	pointers map[string]bool // the reverse names that have a PTR record
	beside   []*scene        // other zones of the server block, which have names of their own
	main     *scene          // the scene of the cluster's own zones
}

func newScene(c *corefile, w *world) *scene {
	w = w.selected(selector(c.labels), selector(c.namespaceLabels))
	s := &scene{corefile: c, world: w, pointers: w.pointers(c)}
	s.main = s
	s.addBeside()
	return s
}

// selector selects all objects if it is empty.
func selector(text string) labels.Selector {
	s, err := labels.Parse(text)
	if err != nil {
		panic(err) // the texts are constants
	}
	return s
}

// comparison is a question with its two answers, and what matchers need to know about it.
type comparison struct {
	*scene
	asker       *asker
	q           question
	stock, ours *reply
	fold        bool // letter case is no longer compared
}

// The servers of an asker: both compared blocks, and stock's block behind.
const (
	stockServer = iota
	ourServer
	behindServer
)

// exchange asks both.
func (c *comparison) exchange() error {
	stock, ours, err := c.asker.both(c.q)
	if err != nil {
		return err
	}
	c.stock, c.ours = c.loosen(stock), c.loosen(ours)
	return nil
}

// differs reports whether the answers differ in anything that is compared.
func (c *comparison) differs() bool {
	return !c.stock.equal(c.ours) || c.ordered && !c.stock.flags.tc && !c.stock.sameOrder(c.ours)
}

// loosen removes what a cache decides.
func (c *comparison) loosen(r *reply) *reply {
	if c.fold && r.problem == nil {
		r = newReply(lowered(r.msg))
	}
	if !c.cached {
		return r
	}
	return r.loosened(c.uncached)
}

// ask asks one of the servers a further question about the difference.
func (c *comparison) ask(server int, q question) *reply {
	r := c.asker.plain.one(server, q)
	if r.problem != nil || r.rcode == dns.RcodeServerFailure {
		c.asker.failed++
	}
	return c.loosen(r)
}

// behind returns the answer of the next plugin to the question.
func (c *comparison) behind() *reply { return c.ask(behindServer, c.q) }

// place is the position of a name: an origin and the labels before it, all in lower case.
type place struct {
	origin  string
	labels  []string
	reverse bool
}

// locate finds the origin that a name belongs to: of several, the longest.
func (c *corefile) locate(name string) (place, bool) {
	var best place
	name = strings.ToLower(name)
	for i, origin := range slices.Concat(c.origins, c.reverse) {
		if dns.IsSubDomain(origin, name) && len(origin) > len(best.origin) {
			best = place{origin: origin, reverse: i >= len(c.origins)}
		}
	}
	if best.origin == "" {
		return place{}, false
	}
	labels := dns.SplitDomainName(name)
	best.labels = labels[:len(labels)-dns.CountLabel(best.origin)]
	return best, true
}

// place returns the position of the question's name.
func (c *comparison) place() (place, bool) { return c.locate(c.q.name) }

// is reports whether the labels before the origin are these.
func (p place) is(labels ...string) bool { return !p.reverse && slices.Equal(p.labels, labels) }

// underService reports whether the labels are those of a Service, or a name below
// it, that may exist; below are the labels before it.
func (c *comparison) underService(p place) (name, namespace string, below []string, ok bool) {
	n := len(p.labels)
	if c.external && !p.reverse && n >= 2 {
		return p.labels[n-2], p.labels[n-1], p.labels[:n-2], c.visible(p.labels[n-1])
	}
	if c.external || p.reverse || n < 3 || p.labels[n-1] != "svc" {
		return "", "", nil, false
	}
	name, namespace = p.labels[n-3], p.labels[n-2]
	return name, namespace, p.labels[:n-3], c.visible(namespace)
}

// serviceAsked returns underService for the question's name.
func (c *comparison) serviceAsked() (name, namespace string, below []string, ok bool) {
	p, _ := c.place()
	return c.underService(p)
}

// visible reports whether a Namespace exists and is shown.
func (c *scene) visible(namespace string) bool {
	return c.world.exists(namespace) && c.exposes(namespace)
}

// header reports whether a reply has the code, and the header of an answer from our zones.
func (r *reply) header(rcode int) bool {
	return r.problem == nil && r.rcode == rcode && r.flags.aa && !r.flags.ra && !r.flags.tc
}

// negative reports whether a reply has the code and nothing but the SOA record of
// the name's own zone.
func (c *comparison) negative(r *reply, rcode int) bool {
	if _, ok := c.place(); !ok || r.flags.tc {
		return false
	}
	return r.matches(c.expect(&dns.Msg{MsgHdr: dns.MsgHdr{Rcode: rcode}, Ns: []dns.RR{c.soa()}}))
}

// expect returns the expected reply, as the plugins ahead leave it.
func (c *comparison) expect(m *dns.Msg) *reply {
	if c.minimal && len(m.Answer) > 0 && m.Rcode == dns.RcodeSuccess {
		m = &dns.Msg{MsgHdr: m.MsgHdr, Question: m.Question, Answer: m.Answer}
	}
	return c.loosen(newReply(m))
}

// matches reports whether a reply has the code and the records of want, and the header of
// an answer from our zones.
func (r *reply) matches(want *reply) bool {
	return r.problem == nil && r.flags.aa && !r.flags.ra && r.rcode == want.rcode && (r.flags.tc || r.sameRecords(want))
}

func (r *reply) empty() bool { return len(r.answer) == 0 && len(r.extra) == 0 }

// echoes reports whether both replies repeat the same parts of the query. No entry is about
// that.
func (c *comparison) echoes() bool {
	stock := c.stock
	if stock.problem != nil { // then to another question about the name
		stock = c.ask(stockServer, c.q.about(c.q.name, dns.TypeSOA))
	}
	if stock.problem != nil || c.ours.problem != nil {
		return false
	}
	s, o := stock.flags, c.ours.flags
	return stock.opt == c.ours.opt && s.rd == o.rd && s.ad == o.ad && s.cd == o.cd && s.z == o.z
}

// soa returns the SOA record of the question's zone, spelled as in the question.
func (c *comparison) soa() dns.RR {
	p, _ := c.place()
	origin := c.q.name[len(c.q.name)-len(p.origin):]
	hdr := dns.RR_Header{Name: origin, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: min(c.ttl, 300)}
	server, mailbox := "ns.dns.", "hostmaster."
	if c.external {
		hdr.Ttl, hdr.Name = c.ttl, p.origin
		origin, server, mailbox = p.origin, "ns1.dns.", "hostmaster.dns."
	}
	return &dns.SOA{
		Hdr: hdr, Ns: server + origin, Mbox: mailbox + origin,
		Refresh: 7200, Retry: 1800, Expire: 86400, Minttl: c.ttl,
	}
}

// noName reports whether stock does not have the name: it denies it, or passes the question
// to the next plugin.
func (c *comparison) noName(r *reply) bool {
	if c.fallsThrough(c.q.name) {
		return r.equal(c.behind())
	}
	return c.negative(r, dns.RcodeNameError)
}

// alike reports whether two replies are equal but for the letter case of names.
func (r *reply) alike(other *reply) bool { return r.folded().equal(other.folded()) }

func (r *reply) folded() *reply {
	if r.problem != nil {
		return r
	}
	f := *r
	f.answer, f.ns, f.extra = lower(r.answer), lower(r.ns), lower(r.extra)
	return &f
}

func lower(texts []string) []string {
	var all []string
	for _, text := range texts {
		all = append(all, strings.ToLower(text))
	}
	slices.Sort(all)
	return all
}
