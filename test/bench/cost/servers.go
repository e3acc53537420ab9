package cost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

const (
	ours  = "ours"
	stock = "stock"
)

// server is a server under test.
type server struct {
	name    string
	address string
	process *process.Process
}

type servers []*server

// corefile has the cluster and a zone for the world outside it.
const corefile = `
.:%s {
    bind 127.0.0.1
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig %q
        %s
        ttl 30
    }
    k8s_external example.org {
        headless
    }
    loadbalance
}
`

// startServers starts the chosen servers. Path is that of their files, without extension.
func startServers(ctx context.Context, o Options, path, kubeconfig string) (all servers, err error) {
	for _, program := range []struct{ name, binary, property string }{{ours, o.Ours, "zonal"}, {stock, o.Stock, ""}} {
		if program.binary == "" {
			continue
		}
		s := &server{name: program.name}
		if err := s.start(ctx, program.binary, path+"-"+program.name, kubeconfig, program.property); err != nil {
			all.kill()
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (s *server) start(ctx context.Context, binary, path, kubeconfig, property string) error {
	free, err := freeport.Addrs(1)
	if err != nil {
		return err
	}
	s.address = free[0]
	_, port, _ := net.SplitHostPort(s.address) // never fails
	text := fmt.Sprintf(corefile, port, kubeconfig, property)
	if err := os.WriteFile(path+".Corefile", []byte(text), 0o600); err != nil {
		return err
	}
	if s.process, err = process.Start(binary, path+".log", "-conf", path+".Corefile"); err != nil {
		return err
	}
	if err := s.process.AwaitReady(ctx, s.probe); err != nil {
		s.process.Kill()
		return err
	}
	_, err = proc.AwaitQuiet(ctx, s.process.ID()) // what the start costs is no question's
	return err
}

// probe returns nil if the server has the cluster.
func (s *server) probe(ctx context.Context) error {
	m, err := dns.ExchangeContext(ctx, new(dns.Msg).SetQuestion("many-10.app.svc.cluster.local.", dns.TypeA), s.address)
	if err == nil && m.Rcode != dns.RcodeSuccess {
		err = errors.New(dns.RcodeToString[m.Rcode])
	}
	return err
}

func (all servers) kill() {
	for _, s := range all {
		s.process.Kill()
	}
}
