package patient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
)

// The networks over which DNS is asked.
const (
	UDP = "udp"
	TCP = "tcp"
)

// askTime is how long one question may take. Over UDP it is asked twice.
const askTime = 1500 * time.Millisecond

// Answers are what a replica says to some questions over one network.
type Answers struct {
	Err  error    // without any reply
	Text []string // a reply each
	Took time.Duration
}

// questions returns what each replica is asked.
func questions(zone, service, namespace string) (all []dns.Question) {
	for _, q := range []struct {
		name  string
		qtype uint16
	}{
		{"kubernetes.default.svc.", dns.TypeA},
		{"kubernetes.default.svc.", dns.TypeAAAA},
		{service + "." + namespace + ".svc.", dns.TypeA},
		{service + "." + namespace + ".svc.", dns.TypeSRV},
		{"dns-version.", dns.TypeTXT},
		{"no-such-service.default.svc.", dns.TypeA},
	} {
		all = append(all, dns.Question{Name: q.name + zone, Qtype: q.qtype, Qclass: dns.ClassINET})
	}
	return all
}

// ask asks a server all questions, one after another, up to the first without a reply.
func ask(ctx context.Context, network string, to netip.AddrPort, all []dns.Question) (a Answers) {
	begun := time.Now()
	defer func() { a.Took = time.Since(begun) }()
	for _, q := range all {
		reply, err := Exchange(ctx, network, to.String(), q)
		if err != nil {
			a.Err = err
			return a
		}
		a.Text = append(a.Text, render(q, reply))
	}
	return a
}

// Exchange asks one question.
func Exchange(ctx context.Context, network, to string, q dns.Question) (*dns.Msg, error) {
	question := new(dns.Msg)
	question.Id = dns.Id()
	question.RecursionDesired = true
	question.Question = []dns.Question{q}
	tries := 1
	if network == UDP {
		tries = 2 // packets get lost
	}
	client := &dns.Client{Net: network, Timeout: askTime}
	var last error
	for range tries {
		reply, _, err := client.ExchangeContext(ctx, question, to)
		if err == nil {
			return reply, nil
		}
		last = err
	}
	return nil, last
}

// render writes a reply without what may differ between replicas: the order of records and their TTL.
func render(q dns.Question, m *dns.Msg) string {
	var records []string
	for _, rr := range m.Answer {
		records = append(records, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(records)
	text := fmt.Sprintf("%s %s: %s %s", q.Name, dns.TypeToString[q.Qtype], dns.RcodeToString[m.Rcode], strings.Join(records, ", "))
	return strings.TrimSpace(text)
}

// outside returns a question for a name outside the cluster that no cache knows.
func outside() dns.Question {
	return dns.Question{Name: fmt.Sprintf("doctor-%x.invalid.", rand.Uint64()), Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

// askAll asks the replicas over both networks.
func (p *Patient) askAll(ctx context.Context) error {
	replicas, err := p.Replicas()
	if err != nil {
		return err
	}
	s, err := p.Service()
	if err != nil {
		return err
	}
	zone := "cluster.local."
	if all, err := p.Corefiles(); err == nil && len(all[0].Outline.Zones()) > 0 {
		zone = all[0].Outline.Zones()[0]
	}
	all := questions(zone, s.Name, s.Namespace)
	near := p.nearby(ctx, replicas)
	var asked sync.WaitGroup
	for _, r := range replicas {
		asked.Go(func() {
			if near {
				r.askDirectly(ctx, all)
			} else {
				r.askByAPI(ctx, p, all)
			}
		})
	}
	asked.Wait()
	return nil
}

// nearby reports whether the network of the Pods can be reached from here: what one has shown holds for all.
func (p *Patient) nearby(ctx context.Context, replicas []*Replica) bool {
	shown := make([]bool, len(replicas))
	var tried sync.WaitGroup
	for i, r := range replicas {
		tried.Go(func() { shown[i] = r.direct(ctx, p) })
	}
	tried.Wait()
	return slices.Contains(shown, true)
}

// askDirectly asks over both networks at the same time.
func (r *Replica) askDirectly(ctx context.Context, all []dns.Question) {
	var asked sync.WaitGroup
	var byUDP, byTCP Answers
	asked.Go(func() { byUDP = r.askAt(ctx, UDP, r.udp, all) })
	asked.Go(func() { byTCP = r.askAt(ctx, TCP, r.tcp, all) })
	asked.Go(func() { r.Outside = r.askAt(ctx, UDP, r.udp, []dns.Question{outside()}) })
	asked.Wait()
	r.Over = map[string]Answers{UDP: byUDP, TCP: byTCP}
}

// askByAPI asks by way of the API server, which leads to ports of Pods over TCP alone.
func (r *Replica) askByAPI(ctx context.Context, p *Patient, all []dns.Question) {
	if r.tcp == 0 {
		r.unasked = errNoAddress
		return
	}
	ctx, cancel := context.WithTimeout(ctx, api.RequestTime)
	defer cancel()
	at, err := p.API.Forward(ctx, r.Namespace, r.Name, r.tcp)
	if err != nil {
		r.unasked = err
		return
	}
	r.Over = map[string]Answers{TCP: ask(ctx, TCP, at, all)}
	r.Outside = ask(ctx, TCP, at, []dns.Question{outside()})
}

var errNoAddress = errors.New("it has no address or no such port")

func (r *Replica) askAt(ctx context.Context, network string, port int32, all []dns.Question) Answers {
	if !r.Addr.IsValid() || port == 0 {
		return Answers{Err: errNoAddress}
	}
	return ask(ctx, network, netip.AddrPortFrom(r.Addr, uint16(port)), all)
}

// Reached returns the replicas that can be asked from here. An error says why none can.
func (p *Patient) Reached() (some []*Replica, err error) {
	if err := p.asked(); err != nil {
		return nil, err
	}
	replicas, err := p.Replicas()
	var why error
	for _, r := range replicas {
		if r.Over != nil {
			some = append(some, r)
		} else {
			why = r.unasked
		}
	}
	if len(some) == 0 && err == nil {
		err = why
	}
	return some, err
}
