// Package fair measures how much polite clients lose while another client floods the
// server: with our server and with stock CoreDNS, both with one real API server and one
// upstream.
//
// Three polite clients ask a hundred questions a second each: for names of the cluster, for
// outside names in the server's cache, and for outside names that are not in the cache. The
// flood comes from an address of its own. Questions and floods come from this process, on
// the same machine: a server that uses all processors slows the clients too.
package fair

import (
	"context"
	"fmt"
	"io"
	"log"
	"path/filepath"
	"strings"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// Options say what to measure.
type Options struct {
	Ours, Stock string        // paths of binaries; a server with an empty path is left out
	Dir         string        // folder for files; it is not removed
	Time        time.Duration // duration of each flood
	Floods      []string      // by name, or all
}

// Run measures and writes a table.
func Run(ctx context.Context, o Options, out io.Writer) error {
	cluster, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return err
	}
	defer cluster.Stop()
	if err := cluster.Apply(ctx, objects()); err != nil {
		return err
	}
	kubeconfig, err := cluster.Kubeconfig(cluster.Admin())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Each flood for %s, polite clients at %d/s each. Lost: without an answer after %s, or with an error.\n\n", o.Time, politeRate, patience)
	fmt.Fprintln(out, "| flood | asked for | server | lost | p50 | p99 |\n|---|---|---|---|---|---|")
	for i, f := range floods {
		if !f.chosen(o.Floods) {
			continue
		}
		for _, s := range servers(o, f) {
			s.path = filepath.Join(o.Dir, fmt.Sprintf("fair-%d-%s", i, s.name))
			s.kubeconfig = kubeconfig
			results, err := s.measure(ctx, f, o.Time)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", f.title, s.name, err)
			}
			for _, r := range results {
				fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", f.title, r.client.title, s.name, r.loss(), r.quantile(0.5), r.quantile(0.99))
			}
			log.Printf("fair: %s, %s", f.title, s.name)
		}
	}
	return nil
}

// measure starts the server and the clients, and floods the server.
func (s *server) measure(ctx context.Context, f flood, long time.Duration) ([]*result, error) {
	up, err := startUpstream(f.upstream)
	if err != nil {
		return nil, err
	}
	defer up.stop()
	if err := s.start(ctx, up.address()); err != nil {
		return nil, err
	}
	defer s.process.Kill()
	if err := s.warm(); err != nil {
		return nil, err
	}
	up.begin()
	ctx, cancel := context.WithTimeout(ctx, settle+long)
	defer cancel()
	flooded := make(chan error, 1)
	go func() { flooded <- f.Run(ctx, s.address) }()
	time.Sleep(settle)
	results, err := askPolitely(ctx, s.address, f)
	cancel()
	if err := <-flooded; err != nil {
		return nil, err
	}
	return results, err
}

// settle is how long a flood lasts before measuring begins.
const settle = time.Second

// endpoints is the number of endpoints of the Service whose SRV records are asked for.
const endpoints = 5000

// objects returns the manifests for the API server.
func objects() []byte {
	var b strings.Builder
	b.WriteString(`
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: app}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: many, namespace: app}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
`)
	const perSlice = 1000
	for slice := range endpoints / perSlice {
		fmt.Fprintf(&b, "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: many-%d, namespace: app, labels: {kubernetes.io/service-name: many}}\n", slice)
		b.WriteString("addressType: IPv4\nports: [{name: http, port: 80, protocol: TCP}]\nendpoints:\n")
		for i := range perSlice {
			fmt.Fprintf(&b, "- {addresses: [10.244.%d.%d], conditions: {ready: true}}\n", 4*slice+i/250, 1+i%250)
		}
	}
	return []byte(b.String())
}
