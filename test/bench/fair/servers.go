package fair

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"

	benchserver "github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/kit/corefile"
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

// corefile returns kubeadm's Corefile, reduced to what questions pass through.
func (s *server) corefile(port, upstream string) string {
	return corefile.Kubeadm{
		Listen: ".:" + port, Lines: []string{"bind 127.0.0.1"}, Upstream: upstream, Reduced: true,
		Properties: []string{fmt.Sprintf("kubeconfig %q", s.kubeconfig), s.properties},
	}.String()
}

func (s *server) start(ctx context.Context, upstream string) (err error) {
	s.address, s.process, err = benchserver.Single{
		Binary: s.binary, Path: s.path, Known: "many.app.svc.cluster.local.",
		Corefile: func(port string) string { return s.corefile(port, upstream) },
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
