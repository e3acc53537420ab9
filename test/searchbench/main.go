// Searchbench measures what it takes to look up an outside name through a Pod's whole
// search path: with ours, in each mode, and with stock CoreDNS, without and with the
// plugin autopath. All of them watch one real API server, forward to one upstream that
// takes its time, and are asked in turn, so that what disturbs one disturbs all.
//
//	go run ./test/searchbench -bin bin/coredns
//
// The client does what glibc does: A and AAAA of one element together, then the next.
// Names are asked for once, so that no cache has them, and then again.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/stock"
)

var (
	stockBinary = flag.String("stock", "", "the `path` of stock CoreDNS (default the user's cache folder, built if it is not there)")
	bin         = flag.String("bin", "bin/coredns", "the `path` of our server")
	rounds      = flag.Int("rounds", 10, "how many `times` each server has its turn")
	lookUps     = flag.Int("lookups", 100, "how many `names` are looked up in a turn, cold and warm")
	delay       = flag.Duration("delay", 5*time.Millisecond, "how long the upstream takes")
)

func main() {
	log.SetFlags(log.Ltime)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal("searchbench: ", err)
	}
}

func run(ctx context.Context) error {
	if *stockBinary == "" {
		built, err := stock.Build()
		if err != nil {
			return err
		}
		*stockBinary = built
	}
	cluster, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return err
	}
	defer cluster.Stop()
	if err := cluster.Apply(ctx, []byte(objects)); err != nil {
		return err
	}
	up, err := startUpstream(*delay)
	if err != nil {
		return err
	}
	defer up.stop()
	kubeconfig, err := cluster.Kubeconfig(cluster.Admin())
	if err != nil {
		return err
	}
	servers, err := startServers(kubeconfig, up.address)
	defer stopServers(servers)
	if err != nil {
		return err
	}
	for round := range *rounds {
		for _, s := range servers {
			if err := s.turn(ctx, round); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		log.Printf("round %d of %d", round+1, *rounds)
	}
	return publish(os.Stdout, servers, up)
}

// objects are a Namespace and the Pod that everybody is who asks from this machine.
const objects = `
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: app}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: app}
spec: {automountServiceAccountToken: false, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 127.0.0.1, podIPs: [{ip: 127.0.0.1}]}
`
