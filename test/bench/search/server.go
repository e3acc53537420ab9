package search

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	benchserver "github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/kit/corefile"
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

// suffixes is the property without suffixes of its own, because autopath also uses only
// those of the machine.
const suffixes = "search_suffixes"

func startServers(ctx context.Context, o Options, kubeconfig, upstream string) ([]*target, error) {
	var servers []*target
	for i, s := range []struct {
		name, binary, ahead, pods string
		properties                []string
	}{
		{"stock", o.Stock, "", "insecure", nil},
		{"stock, autopath", o.Stock, "autopath @kubernetes", "verified", nil},
		{"ours, search off", o.Ours, "", "insecure", nil},
		{"ours, search names", o.Ours, "", "insecure", []string{"search names", suffixes}},
		{"ours, search pods", o.Ours, "", "insecure", []string{"search pods", suffixes}},
	} {
		address, p, err := benchserver.Single{
			Binary: s.binary, Path: filepath.Join(o.Dir, fmt.Sprint("search-", i)), Known: "kubernetes.default.svc.cluster.local.",
			Corefile: func(port string) string {
				return corefile.Kubeadm{
					Listen: ".:" + port, Lines: []string{"bind 127.0.0.1", s.ahead}, Upstream: upstream, Reduced: true,
					Pods: s.pods, Properties: append(s.properties, fmt.Sprintf("kubeconfig %q", kubeconfig)),
				}.String()
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
