package published

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// question is a query.
type question struct {
	name  string
	qtype uint16
	size  uint16 // of EDNS; 0 for none
	do    bool
	tcp   bool
}

func (q question) String() string {
	return fmt.Sprintf("%s %s, EDNS size %d, DO %t, TCP %t", q.name, dns.TypeToString[q.qtype], q.size, q.do, q.tcp)
}

// message returns the query.
func (q question) message() *dns.Msg {
	m := new(dns.Msg).SetQuestion(q.name, q.qtype)
	if q.size > 0 {
		m.SetEdns0(q.size, q.do)
	}
	return m
}

// asked are the types that every name is asked for.
var asked = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeMX, dns.TypeTXT, dns.TypeHTTPS, dns.TypeSRV, dns.TypeSOA, dns.TypeNS, dns.TypeANY,
}

// questions returns every type of every name, in a random order and in random ways.
func questions(seed uint64, names []string) (all []question) {
	r := rand.New(rand.NewPCG(seed, 16))
	for _, name := range names {
		for _, qtype := range asked {
			q := question{name: name, qtype: qtype, tcp: r.IntN(20) == 0}
			if r.IntN(3) == 0 {
				q.name = recased(r, name)
			}
			if r.IntN(2) == 0 {
				q.size, q.do = []uint16{512, 1232, 4096}[r.IntN(3)], r.IntN(4) == 0
			}
			all = append(all, q)
		}
	}
	for _, zone := range zones {
		all = append(all, question{name: zone, qtype: dns.TypeAXFR, tcp: true})
	}
	r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	return all
}

// recased returns the name with some letters in upper case.
func recased(r *rand.Rand, name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' && r.IntN(2) == 0 {
			return c - 'a' + 'A'
		}
		return c
	}, name)
}

// namesOf returns the names of two worlds, their parents, names below and beside them, and names
// that nobody has.
func namesOf(worlds ...*world) []string {
	all := map[string]bool{}
	for _, w := range worlds {
		for _, t := range w.things {
			for _, host := range slices.Concat(t.hosts, t.names) {
				addAround(all, strings.ToLower(strings.TrimSuffix(host, ".")))
			}
		}
	}
	for _, zone := range zones {
		for _, label := range []string{"", "nobody.", "*.", "a.b.c.", "dns1.kube-system.", "x.dns1.kube-system.", "other.kube-system.", "kube-system.", "ent.", "x.ent.", "wild.", "x.y.wild."} {
			all[label+zone] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// addAround adds names in and around a host.
func addAround(all map[string]bool, host string) {
	for i, zone := range zones {
		name := host + "."
		if other := zoneOf(name); other != "" && other != zone && (len(host)+i)%8 > 0 {
			continue // a few names of one zone below the other are enough
		}
		if !within(name, zone) {
			name += zone
		}
		if strings.Contains(name, "..") {
			continue
		}
		first, parent, _ := strings.Cut(name, ".")
		for _, name := range []string{name, "x." + name, first + "x." + parent} {
			all[name] = true
		}
		for ; parent != zone; _, parent, _ = strings.Cut(parent, ".") {
			all[parent] = true
		}
		if first == "*" {
			all["one."+parentOf(name)], all["one.two."+parentOf(name)] = true, true
		}
	}
}

func parentOf(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return parent
}

// asker asks one server, over one socket.
type asker struct {
	address string
	udp     *dns.Conn
}

// tries are the waits for an answer over UDP. Some are never answered.
var tries = []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond}

// ask asks over TCP again what comes truncated.
func (a *asker) ask(q question) *reply {
	if q.tcp {
		return a.over("tcp", q)
	}
	var r *reply
	for _, wait := range tries {
		if r = a.once(q, wait); r.problem == nil {
			break
		}
	}
	return r
}

func (a *asker) over(network string, q question) *reply {
	client := dns.Client{Net: network, Timeout: 2 * time.Second}
	m, _, err := client.Exchange(q.message(), a.address)
	if err != nil {
		err = fmt.Errorf("%w: %w", errNoReply, err)
	}
	return newReply(m, err)
}

func (a *asker) once(q question, wait time.Duration) *reply {
	if a.udp == nil {
		conn, err := net.Dial("udp", a.address)
		if err != nil {
			return newReply(nil, err)
		}
		a.udp = &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize}
	}
	client := dns.Client{Net: "udp", Timeout: wait, UDPSize: dns.MaxMsgSize}
	m, _, err := client.ExchangeWithConn(q.message(), a.udp)
	if err != nil {
		a.close() // a late answer must not be taken for that of the next question
		return newReply(nil, fmt.Errorf("%w: %w", errNoReply, err))
	}
	return newReply(m, nil)
}

func (a *asker) close() {
	if a.udp != nil {
		_ = a.udp.Close()
		a.udp = nil
	}
}
