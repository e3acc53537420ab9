package doctor

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// upstreamsCheck checks that names outside the cluster are answered, and by each upstream.
func upstreamsCheck(ctx context.Context, p *patient.Patient) Result {
	corefiles, err := p.Corefiles()
	if err != nil {
		return unseen("the upstreams", err)
	}
	var targets []string
	for _, c := range corefiles {
		targets = append(targets, upstreams(c.Outline)...)
	}
	if len(targets) == 0 {
		return green("the Corefile forwards nothing")
	}
	var all []Result
	reached, err := p.Reached()
	if err == nil {
		all = append(all, outsideNames(reached)...)
	}
	if own := p.Itself(); own != nil {
		all = append(all, askUpstreams(ctx, addresses(targets))...)
	} else {
		all = append(all, failing(p)...)
	}
	if len(all) == 0 {
		return unknown("kubectl exec into the Pod: coredns doctor", "neither the Pods nor their metrics can be reached from here")
	}
	return worst(all...)
}

// outsideNames says which replicas get an answer for a name outside.
func outsideNames(replicas []*patient.Replica) (all []Result) {
	const remedy = "ask the upstreams from a node: dig @ADDRESS example.org; the address in forward, or the node's resolv.conf, may be out of date"
	slowest := time.Duration(0)
	for _, r := range replicas {
		switch a := r.Outside; {
		case silent(r): // the line replies has it
		case a.Err != nil:
			all = append(all, red(remedy, "Pod %s gives no reply for names outside the cluster: %v", r.Name, a.Err))
		case strings.Contains(a.Text[0], ": SERVFAIL"):
			all = append(all, red(remedy, "Pod %s answers names outside the cluster with SERVFAIL", r.Name))
		default:
			slowest = max(slowest, a.Took)
		}
	}
	if len(all) > 0 || slowest == 0 {
		return all
	}
	return []Result{green("names outside are answered within %v", slowest.Round(time.Millisecond))}
}

// silent reports whether a replica does not answer over some network.
func silent(r *patient.Replica) bool {
	for _, a := range r.Over {
		if a.Err != nil {
			return true
		}
	}
	return false
}

// failing says which upstreams fail the health checks of forward now.
func failing(p *patient.Patient) (all []Result) {
	const failures = "coredns_proxy_healthcheck_failures_total"
	first, err := p.Scrapes(false)
	if err != nil {
		return nil
	}
	later, err := p.Scrapes(true)
	if err != nil {
		return nil
	}
	for _, r := range inOrder(later) {
		before := first[r]
		if before == nil {
			continue
		}
		down := []string{}
		for to, n := range later[r].By(failures, "to") {
			if n > before.By(failures, "to")[to] {
				down = append(down, to)
			}
		}
		slices.Sort(down)
		if len(down) > 0 {
			all = append(all, yellow("ask them from a node: dig @ADDRESS example.org", "%s of Pod %s does not answer", strings.Join(down, ", "), r.Name))
		}
	}
	return append(all, green("no upstream fails the health checks of forward"))
}

// addresses returns the addresses of upstreams that speak DNS, those in files too.
func addresses(targets []string) (all []string) {
	for _, to := range targets {
		protocol, host := parse.Transport(to)
		switch {
		case isFile(to):
			conf, err := dns.ClientConfigFromFile(to)
			if err != nil {
				continue
			}
			for _, s := range conf.Servers {
				all = append(all, net.JoinHostPort(s, conf.Port))
			}
		case protocol != "dns":
		default:
			if a, err := netip.ParseAddr(host); err == nil {
				host = netip.AddrPortFrom(a, 53).String()
			}
			all = append(all, host)
		}
	}
	return all
}

// askUpstreams asks each upstream over both networks.
func askUpstreams(ctx context.Context, all []string) []Result {
	results := make([]Result, len(all))
	var asked sync.WaitGroup
	for i, to := range all {
		asked.Go(func() { results[i] = askUpstream(ctx, to) })
	}
	asked.Wait()
	return results
}

func askUpstream(ctx context.Context, to string) Result {
	root := dns.Question{Name: ".", Qtype: dns.TypeNS, Qclass: dns.ClassINET}
	_, byUDP := patient.Exchange(ctx, patient.UDP, to, root)
	_, byTCP := patient.Exchange(ctx, patient.TCP, to, root)
	switch {
	case byUDP != nil && byTCP != nil:
		return red("the address in forward, or in the node's resolv.conf, or a firewall", "%s does not answer: %v", to, byUDP)
	case byUDP != nil:
		return yellow("let UDP through, or force_tcp in forward", "%s answers over TCP alone: %v", to, byUDP)
	case byTCP != nil:
		return yellow("let TCP through to port 53", "%s answers over UDP alone, so that long answers fail: %v", to, byTCP)
	}
	return green("%s answers over UDP and TCP", to)
}
