// The resolve command looks up the names in its arguments with the resolver that it is
// linked with, and prints "name address" lines. Without cgo that is Go's own resolver, and
// with cgo the one of the C library.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(names []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, name := range names {
		addrs, err := net.DefaultResolver.LookupHost(ctx, name)
		if err != nil {
			return err
		}
		slices.Sort(addrs)
		for _, addr := range addrs {
			fmt.Println(name, addr)
		}
	}
	return nil
}
