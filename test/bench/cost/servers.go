package cost

import (
	"context"
	"fmt"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	benchserver "github.com/clusterdns/clusterdns/test/bench/server"
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

func (s *server) start(ctx context.Context, binary, path, kubeconfig, property string) (err error) {
	s.address, s.process, err = benchserver.Single{
		Binary: binary, Path: path, Known: "many-10.app.svc.cluster.local.",
		Corefile: func(port string) string { return fmt.Sprintf(corefile, port, kubeconfig, property) },
	}.Start(ctx)
	if err != nil {
		return err
	}
	if _, err = proc.AwaitQuiet(ctx, s.process.ID()); err != nil { // what the start costs is no question's
		s.process.Kill()
	}
	return err
}

func (all servers) kill() {
	for _, s := range all {
		s.process.Kill()
	}
}
