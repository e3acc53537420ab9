// Package search measures the look-up of an outside name through a Pod's whole search path:
// with our server in each mode, and with stock CoreDNS, without and with the plugin
// autopath. All servers watch one real API server, forward to one slow upstream, and are
// asked in turn, so that a disturbance affects all of them.
//
// The client works like glibc: it asks for A and AAAA of one element together, then of the
// next. It looks each name up twice: first when no cache has it, and then again.
package search

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// Options say what to measure, and how often.
type Options struct {
	Ours, Stock string        // binaries
	Dir         string        // folder for files; it is not removed
	Rounds      int           // number of turns of each server
	LookUps     int           // number of names in a turn, looked up cold and then warm
	Delay       time.Duration // delay of each answer of the upstream
}

// Run measures and writes a table.
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

// objects are a Namespace and a Pod. Every client on this machine has that Pod's address.
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
