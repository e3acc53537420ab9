package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	log.SetFlags(log.Ltime)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseFlags(os.Args[1:])
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and prints the results, even if a later measurement fails.
func run(ctx context.Context, o options) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.stop()
	err = b.run(ctx)
	if b.report.Empty() {
		return err
	}
	if printErr := b.publish(os.Stdout); printErr != nil {
		return errors.Join(err, printErr)
	}
	if n := len(b.problems); err == nil && n > 0 {
		err = fmt.Errorf("%d figures are not to be trusted: see below the table", n)
	}
	return err
}
