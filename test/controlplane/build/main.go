// The build command compiles the binaries of the test cluster into the user's
// cache folder and prints their paths. Tests do the same when they need to, but
// the first compilation takes longer than "go test" allows a package by
// default.
//
// Usage: go run ./test/controlplane/build [command...]
//
// A command is the name of a folder in test/cluster/cmd; the default is what a
// control plane needs.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	binaries, err := controlplane.Build(ctx, os.Args[1:]...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, path := range slices.Sorted(maps.Values(binaries)) {
		fmt.Println(path)
	}
}
