package live

import (
	"fmt"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// P1: a secondary that asks now over UDP and now over TCP sees no serial go back while reloads move
// the zone from one watch to another. Old and new instance then answer side by side.
func TestP1SerialInReloads(t *testing.T) {
	r := startReloading(t, "serials", "180")
	done := make(chan struct{})
	var asking sync.WaitGroup
	for i, nets := range [][]string{{"udp", "tcp"}, {"tcp", "udp"}, {"udp"}, {"tcp"}} {
		asking.Go(func() {
			if err := r.server.watchSerial(nets, done); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	for range 4 {
		r.load.may(answers{"A 10-180-0-2.serials.pod.cluster.local": noName})
		r.server.mustReload(t, block(r.source, "pods verified"))
		r.load.may(answers{"A 10-180-0-2.serials.pod.cluster.local": "NOERROR 10.180.0.2"})
		r.server.mustReload(t, block(r.source, "pods insecure"))
	}
	close(done)
	asking.Wait()
	r.change(t)
}

// watchSerial asks for the serial over each network in turn, and returns an error if it goes back.
func (s *server) watchSerial(nets []string, done <-chan struct{}) error {
	addrs := map[string]string{"udp": s.addr, "tcp": s.tcp}
	last, by := uint32(0), ""
	for i := 0; ; i++ {
		select {
		case <-done:
			return nil
		default:
		}
		network := nets[i%len(nets)]
		client := dns.Client{Net: network, Timeout: answerTimeout}
		m, _, err := client.Exchange(new(dns.Msg).SetQuestion("cluster.local.", dns.TypeSOA), addrs[network])
		if err != nil {
			continue // a reload closes connections
		}
		if len(m.Answer) != 1 {
			return fmt.Errorf("no SOA over %s: %s", network, m)
		}
		soa := m.Answer[0].(*dns.SOA)
		if soa.Serial < last {
			return fmt.Errorf("the serial %d over %s, after %d over %s", soa.Serial, network, last, by)
		}
		last, by = soa.Serial, network
	}
}
