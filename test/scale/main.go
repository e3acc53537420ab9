package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	shape    shape
	bin      string
	stock    string
	runs     int
	changes  int
	writers  int
	plain    bool
	verified bool
	timeout  time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseFlags(os.Args[1:])
	if err == nil {
		err = run(ctx, o, os.Stdout)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.Uint64Var(&o.shape.Seed, "seed", 1, "seed of the cluster's objects")
	flags.IntVar(&o.shape.Namespaces, "namespaces", 100, "number of namespaces")
	flags.IntVar(&o.shape.Services, "services", 10_000, "number of Services")
	flags.IntVar(&o.shape.Headless, "headless", -1, "how many of the Services are headless (default a tenth)")
	flags.IntVar(&o.shape.Endpoints, "endpoints", 100_000, "number of endpoints")
	flags.IntVar(&o.shape.Pods, "pods", 0, "number of Pods")
	flags.StringVar(&o.bin, "bin", "bin/coredns", "binary to measure")
	flags.StringVar(&o.stock, "stock", "", "binary of stock CoreDNS to measure as well")
	flags.IntVar(&o.runs, "runs", 3, "lives of each binary")
	flags.IntVar(&o.changes, "changes", 500, "changes of an endpoint in each life")
	flags.IntVar(&o.writers, "writers", 48, "parallel writers that load the cluster")
	flags.BoolVar(&o.plain, "plain", false, "turn streaming lists off at the API server")
	flags.BoolVar(&o.verified, "verified", false, `"pods verified" in the Corefile in place of "pods insecure"`)
	flags.DurationVar(&o.timeout, "timeout", time.Hour, "time limit of the whole command")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.shape.Headless < 0 {
		o.shape.Headless = o.shape.Services / 10
	}
	return o, o.check(flags.Args())
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case o.runs < 1 || o.changes < 1 || o.writers < 1:
		return errors.New("-runs, -changes and -writers must be 1 or more")
	}
	return o.shape.check()
}

// run prints what was measured even when a later measurement fails.
func run(ctx context.Context, o options, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	before := machineLoad()
	b, err := startBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.stop()
	err = b.runLives(ctx)
	if b.report.empty() {
		return err
	}
	b.writeHeader(out, before)
	b.report.write(out)
	return err
}

func (b *bench) writeHeader(w io.Writer, before load) {
	lists := "streaming lists"
	if b.plain {
		lists = "plain lists"
	}
	pods := "pods insecure"
	if b.verified {
		pods = "pods verified"
	}
	fmt.Fprintf(w, "%s; %s, %s; %d runs: median (least-greatest).\n\n", b.shape, lists, pods, b.runs)
	fmt.Fprintf(w, "Machine: %s; %s.\n\n", machine(), machineLoad().since(before))
	fmt.Fprintf(w, "Command: `%s`\n\n", strings.TrimSpace("go run ./test/scale "+strings.Join(os.Args[1:], " ")))
	for _, column := range b.report.columns {
		fmt.Fprintf(w, "Binary %s: %s\n\n", column, binaryVersion(b.binaries[column]))
	}
}

// logf tells how far the command has come.
func logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}
