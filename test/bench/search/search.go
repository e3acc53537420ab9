// Package search measures what it takes to look up an outside name through a Pod's whole
// search path: with ours, in each mode, and with stock CoreDNS, without and with the
// plugin autopath. All of them watch one real API server, forward to one upstream that
// takes its time, and are asked in turn, so that what disturbs one disturbs all.
//
// The client does what glibc does: A and AAAA of one element together, then the next.
// Names are asked for once, so that no cache has them, and then again.
package search

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// Options are what is measured, and how often.
type Options struct {
	Ours, Stock string        // binaries
	Dir         string        // where to write; not removed
	Rounds      int           // how many times each server has its turn
	LookUps     int           // how many names are looked up in a turn, cold and warm
	Delay       time.Duration // how long the upstream takes
}

// Run measures and prints a table.
func Run(ctx context.Context, o Options, out io.Writer) error {
	cluster, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return err
	}
	defer cluster.Stop()
	if err := cluster.Apply(ctx, []byte(objects)); err != nil {
		return err
	}
	up, err := startUpstream(o.Delay)
	if err != nil {
		return err
	}
	defer up.stop()
	kubeconfig, err := cluster.Kubeconfig(cluster.Admin())
	if err != nil {
		return err
	}
	servers, err := startServers(ctx, o, kubeconfig, up.address)
	defer stopServers(servers)
	if err != nil {
		return err
	}
	for round := range o.Rounds {
		for _, s := range servers {
			if err := s.turn(ctx, round, o.LookUps); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		log.Printf("search: round %d of %d", round+1, o.Rounds)
	}
	return publish(out, servers, up)
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
