package search

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	benchserver "github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// target is a server under test with its measurements.
type target struct {
	name    string
	address string
	process *process.Process
	cold    figures
	warm    figures
}

const corefile = `
.:%s {
    bind 127.0.0.1
    errors
    %s
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig %s
        %s
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    forward . %s
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    loadbalance
}
`

// suffixes is the property without suffixes of its own, because autopath also uses only
// those of the machine.
const suffixes = "search_suffixes"

func startServers(ctx context.Context, o Options, kubeconfig, upstream string) ([]*target, error) {
	var servers []*target
	for i, s := range []struct{ name, binary, ahead, properties string }{
		{"stock", o.Stock, "", "pods insecure"},
		{"stock, autopath", o.Stock, "autopath @kubernetes", "pods verified"},
		{"ours, search off", o.Ours, "", "pods insecure"},
		{"ours, search names", o.Ours, "", "pods insecure\n search names\n " + suffixes},
		{"ours, search pods", o.Ours, "", "pods insecure\n search pods\n " + suffixes},
	} {
		address, p, err := benchserver.Single{
			Binary: s.binary, Path: filepath.Join(o.Dir, fmt.Sprint("search-", i)), Known: "kubernetes.default.svc.cluster.local.",
			Corefile: func(port string) string {
				return fmt.Sprintf(corefile, port, s.ahead, kubeconfig, s.properties, upstream)
			},
		}.Start(ctx)
		if err != nil {
			return servers, fmt.Errorf("%s: %w", s.name, err)
		}
		servers = append(servers, &target{name: s.name, address: address, process: p})
	}
	return servers, nil
}

func stopServers(servers []*target) {
	for _, t := range servers {
		t.process.Kill()
	}
}

// turn looks up names for the first time, and then again.
func (t *target) turn(ctx context.Context, round, lookUps int) error {
	for _, f := range []*figures{&t.cold, &t.warm} {
		before, err := proc.ReadCPU(t.process.ID())
		if err != nil {
			return err
		}
		for i := range lookUps {
			name := fmt.Sprintf("n%d-%d.%s.example.com", round, i, strings.NewReplacer(" ", "", ",", "").Replace(t.name))
			if err := f.lookUp(ctx, t.address, name); err != nil {
				return err
			}
		}
		after, err := proc.ReadCPU(t.process.ID())
		if err != nil {
			return err
		}
		f.cpu += after.Since(before).Used
	}
	return nil
}
