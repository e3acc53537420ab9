// The lab command brings a real Kubernetes cluster of one or two nodes up and down; see
// package lab.
//
// Usage:
//
//	lab up [-nodes 2] [-proxy iptables] [-cni ptp,bridge]
//	lab down
//	lab kubectl ARGUMENTS...
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/clusterdns/clusterdns/test/lab"
	"github.com/clusterdns/clusterdns/test/lab/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{""}
	}
	switch args[0] {
	case "up":
		return up(ctx, args[1:])
	case "down":
		return lab.Down(ctx)
	case "kubectl":
		return kubectl(ctx, args[1:])
	case "node":
		return lab.RunNode(args[1:])
	case "supervise":
		return lab.Supervise(args[1:])
	case "join":
		return lab.Join(args[1:])
	default:
		return fmt.Errorf("command %q: expected up, down or kubectl", args[0])
	}
}

func up(ctx context.Context, args []string) error {
	settings := node.DefaultSettings()
	flags := flag.NewFlagSet("lab up", flag.ExitOnError)
	flags.IntVar(&settings.Nodes, "nodes", settings.Nodes, "how many nodes: 1 or 2")
	flags.StringVar(&settings.Proxy, "proxy", settings.Proxy, "mode of kube-proxy: nftables or iptables")
	plugins := flags.String("cni", strings.Join(settings.CNI, ","), "CNI plugin of each node: bridge or ptp")
	if err := flags.Parse(args); err != nil {
		return err
	}
	settings.CNI = strings.Split(*plugins, ",")
	return lab.Up(ctx, settings)
}

func kubectl(ctx context.Context, args []string) error {
	l, err := lab.Connect(ctx)
	if err != nil {
		return err
	}
	return l.BecomeKubectl(args)
}
