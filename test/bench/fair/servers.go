package fair

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"

	benchserver "github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// server is a server under test.
type server struct {
	name, binary string
	properties   string
	path         string // path of its files, without extension
	kubeconfig   string
	address      string
	process      *process.Process
}

// servers returns the servers for one flood.
func servers(o Options, f flood) []*server {
	var all []*server
	if o.Stock != "" {
		all = append(all, &server{name: "stock", binary: o.Stock})
	}
	if o.Ours != "" {
		all = append(all, &server{name: "ours", binary: o.Ours, properties: f.properties})
	}
	return all
}

// corefile is kubeadm's Corefile, reduced to what questions pass through.
const corefile = `
.:%s {
    bind 127.0.0.1
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig %q
        pods insecure
        %s
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    forward . %s {
        max_concurrent 1000
    }
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    loadbalance
}
`

func (s *server) start(ctx context.Context, upstream string) (err error) {
	s.address, s.process, err = benchserver.Single{
		Binary: s.binary, Path: s.path, Known: "many.app.svc.cluster.local.",
		Corefile: func(port string) string { return fmt.Sprintf(corefile, port, s.kubeconfig, s.properties, upstream) },
	}.Start(ctx)
	return err
}

// warm fills the cache with the outside names of the polite client.
func (s *server) warm() error {
	client := dns.Client{Timeout: patience}
	for i := range cachedNames {
		m, _, err := client.Exchange(new(dns.Msg).SetQuestion(cachedName(i), dns.TypeA), s.address)
		if err != nil {
			return err
		}
		if len(m.Answer) == 0 {
			return fmt.Errorf("%s: %s", cachedName(i), dns.RcodeToString[m.Rcode])
		}
	}
	return nil
}

// patience is how long a polite client waits for an answer.
const patience = 2 * time.Second
