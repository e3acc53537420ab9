// The lab command brings a real Kubernetes cluster of one node up and down; see
// package lab.
//
// Usage:
//
//	lab up
//	lab down
//	lab kubectl ARGUMENTS...
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/clusterdns/clusterdns/test/lab"
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
		return lab.Up(ctx)
	case "down":
		return lab.Down(ctx)
	case "kubectl":
		return kubectl(ctx, args[1:])
	case "node":
		return lab.RunNode(args[1:])
	case "supervise":
		return lab.Supervise(args[1:])
	default:
		return fmt.Errorf("command %q: expected up, down or kubectl", args[0])
	}
}

func kubectl(ctx context.Context, args []string) error {
	l, err := lab.Connect(ctx)
	if err != nil {
		return err
	}
	return l.BecomeKubectl(args)
}
