//go:build soak

package soak

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/pkg/reuseport"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// Names outside the cluster. Those below deadOrigin get no answer, and those below
// nodeSuffix do not exist.
const (
	constantName = "www.example.org."
	changeOrigin = "example.org."
	deadOrigin   = "dead.example."
	nodeSuffix   = "node.example."

	maxTTL = 5 // of outside names, in seconds
)

// changingName returns a name whose address says when the outside server was asked for it.
// Its TTL in seconds is in the name.
func changingName(i int) string {
	return fmt.Sprintf("c%d.ttl%d.%s", i, 1+i%maxTTL, changeOrigin)
}

// ttlOfName returns the TTL of such a name, or false.
func ttlOfName(name string) (ttl uint32, ok bool) {
	var i int
	n, err := fmt.Sscanf(strings.ToLower(name), "c%d.ttl%d."+changeOrigin, &i, &ttl)
	return ttl, n == 2 && err == nil
}

// tick is the unit of the times in addresses.
const tick = 10 * time.Millisecond

// outside is a name server outside the cluster.
type outside struct{ began time.Time }

// outsideBuffer is the size of its buffer: questions of a flood must not be lost there.
const outsideBuffer = 4 << 20

// serve answers questions until the test ends.
func (o outside) serve(t *testing.T) {
	t.Helper()
	address := netip.AddrPortFrom(upstreamAddr, 53).String()
	listener, err := reuseport.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := reuseport.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.UDPConn).SetReadBuffer(outsideBuffer); err != nil {
		t.Fatal(err)
	}
	netlab.ServeOn(t, listener, conn, o)
}

// ServeDNS implements dns.Handler.
func (o outside) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	q := r.Question[0]
	name := strings.ToLower(q.Name)
	m := new(dns.Msg).SetReply(r)
	ttl, changing := ttlOfName(name)
	switch {
	case dns.IsSubDomain(nodeSuffix, name):
		m.Rcode = dns.RcodeNameError
	case dns.IsSubDomain(deadOrigin, name):
		return
	case !changing && name != constantName:
		m.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypeA && changing:
		m.Answer = []dns.RR{address(q.Name, ttl, o.now())}
	case q.Qtype == dns.TypeA:
		m.Answer = []dns.RR{address(q.Name, 1, net.IPv4(192, 0, 2, 80))}
	}
	if len(m.Answer) == 0 {
		hdr := dns.RR_Header{Name: "example.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: maxTTL}
		m.Ns = []dns.RR{&dns.SOA{Hdr: hdr, Ns: "ns.example.", Mbox: "mail.example.", Serial: 1, Refresh: 60, Retry: 60, Expire: 60, Minttl: maxTTL}}
	}
	_ = w.WriteMsg(m) // the server asks again
}

func address(name string, ttl uint32, ip net.IP) dns.RR {
	return &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: ip}
}

// underWay is how long an answer may be under way to a busy server.
const underWay = 500 * time.Millisecond

// now returns the time as an address.
func (o outside) now() net.IP {
	ip := make(net.IP, net.IPv4len)
	binary.BigEndian.PutUint32(ip, 11<<24+uint32(time.Since(o.began)/tick))
	return ip
}

// checkAge returns an error if an answer was older, when it was asked for, than the cache of
// the listener may keep it, or may be kept for longer. Where the cache keeps the answer for an alias
// too, that is made from the kept one in the last second of its life, and gets the least TTL.
func (o outside) checkAge(r *dns.Msg, sent time.Time, least uint32, twice bool) error {
	a, ok := lastAddress(r)
	if !ok {
		return errors.New("no address")
	}
	ttl, ok := ttlOfName(a.Hdr.Name)
	if !ok {
		return fmt.Errorf("%s is no name that changes", a.Hdr.Name)
	}
	made := o.began.Add(time.Duration(binary.BigEndian.Uint32(a.A.To4())-11<<24) * tick)
	most, age := time.Duration(max(ttl, least))*time.Second, sent.Sub(made)
	if twice {
		most += time.Duration(least) * time.Second
	}
	// A reply is kept for a second. The way from the outside server to the cache takes time
	// too, which the cache cannot know.
	if age > most+time.Second+underWay {
		return fmt.Errorf("an answer with the TTL %s is %s old", most, age)
	}
	// The rest of a TTL is rounded up to a second.
	if rest := time.Duration(a.Hdr.Ttl) * time.Second; age+rest > most+2*time.Second+underWay {
		return fmt.Errorf("an answer with the TTL %s is %s old, and has the TTL %s", most, age, rest)
	}
	return nil
}

func lastAddress(r *dns.Msg) (*dns.A, bool) {
	if r.Rcode != dns.RcodeSuccess || len(r.Answer) == 0 {
		return nil, false
	}
	a, ok := r.Answer[len(r.Answer)-1].(*dns.A)
	return a, ok
}
