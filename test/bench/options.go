package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

// The parts of the measurement.
const (
	partCPU        = "cpu"
	partLatency    = "latency"
	partTransports = "transports"
	partMemory     = "memory"
	partChanges    = "changes"
	partSearch     = "search"
	partFair       = "fair"
	partCost       = "cost"
	partWatches    = "watches"
	partStarts     = "starts"
)

// allParts are the parts on the page. The others have their own tables,
// servers and clusters, and are measured only if they are named.
var (
	allParts   = []string{partCPU, partLatency, partTransports, partMemory, partChanges}
	knownParts = append(slices.Clip(allParts), partSearch, partFair, partCost, partWatches, partStarts)
)

// The selection when there is little time and nothing was chosen.
const (
	quickSets = "service-a,nxdomain,mix"
	quickOnly = server.Ours + "," + server.Chain + "," + server.Stock + "," + server.Knot
)

// options are the values of the flags.
type options struct {
	shape    refcluster.Shape
	bin      string
	stock    string
	before   string
	kinds    []server.Kind
	sets     string
	parts    []string
	quick    bool
	runs     int
	seconds  int
	rate     int
	changes  int
	rounds   int // rounds of the search path
	plain    bool
	verified bool
	floods   string
	nodes    []int
	busy     int // number of processes that keep the machine busy while servers start
	page     string
	timeout  time.Duration
}

func parseFlags(args []string) (options, error) {
	o := options{shape: refcluster.Reference, nodes: []int{10, 100, 1000, 5000}}
	var only, parts string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.bin, "bin", "bin/coredns", "our binary")
	flags.StringVar(&o.stock, "stock", "", "binary of stock CoreDNS (default the user's cache folder, built if it is not there)")
	flags.StringVar(&o.before, "before", "", "`binary` of an earlier build of ours, to measure beside this one")
	flags.StringVar(&only, "only", "", "`servers` to measure, as in ours,stock (default all, quick "+quickOnly+")")
	flags.StringVar(&o.sets, "sets", "", "`sets` of questions to ask, as in service-a,mix (default all, quick "+quickSets+")")
	flags.StringVar(&parts, "parts", "", "`parts` to measure: "+strings.Join(knownParts, ", ")+" (default all but search, fair, cost, watches and starts)")
	flags.BoolVar(&o.quick, "quick", false, "measure less, and shorter: for a look, not for a record")
	flags.IntVar(&o.runs, "runs", 0, "how often to measure everything (default 5, quick 1)")
	flags.IntVar(&o.seconds, "seconds", 0, "how long each load lasts (default 5, quick 2)")
	flags.IntVar(&o.rate, "rate", 20_000, "the fixed load in queries per second")
	flags.IntVar(&o.changes, "changes", 0, "how many changes are timed each time (default 500, quick 100)")
	flags.BoolVar(&o.plain, "plain", false, "turn streaming lists off at the API server")
	flags.BoolVar(&o.verified, "verified", false, `"pods verified" in the Corefile in place of "pods insecure"`)
	flags.IntVar(&o.shape.Pods, "pods", o.shape.Pods, "number of Pods")
	flags.StringVar(&o.floods, "floods", "", "`floods` of the part fair, as in own,srv (default all)")
	flags.Func("nodes", "`numbers` of nodes of the part watches, as in 10,100 (default 10,100,1000,5000)", func(text string) error {
		return json.Unmarshal([]byte("["+text+"]"), &o.nodes)
	})
	flags.IntVar(&o.busy, "busy", 0, "number of `processes` that keep the machine busy in the part starts")
	flags.StringVar(&o.page, "page", "", "Markdown `file` that gets the results, with a chart beside it")
	flags.DurationVar(&o.timeout, "timeout", 4*time.Hour, "time limit of the whole command")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	return o.complete(only, parts, flags.Args())
}

// complete resolves the names in the flags and sets what follows from the rest.
func (o options) complete(only, parts string, rest []string) (_ options, err error) {
	if len(rest) > 0 {
		return o, fmt.Errorf("unexpected argument %q", rest[0])
	}
	if o.quick && o.sets == "" {
		o.sets = quickSets
	}
	if o.kinds, err = o.chooseKinds(only); err != nil {
		return o, err
	}
	if o.parts, err = chooseParts(parts); err != nil {
		return o, err
	}
	defaults := map[*int][2]int{&o.runs: {5, 1}, &o.rounds: {10, 2}, &o.seconds: {5, 2}, &o.changes: {500, 100}}
	for value, byDefault := range defaults {
		if *value == 0 && o.quick {
			*value = byDefault[1]
		} else if *value == 0 {
			*value = byDefault[0]
		}
	}
	if o.runs < 1 || o.seconds < 1 || o.rate < 1 || o.changes < 1 || o.changes > freshAddresses {
		return o, fmt.Errorf("-runs, -seconds, -rate and -changes must be 1 or more, and -changes %d or less", freshAddresses)
	}
	return o, o.shape.Check()
}

// chooseKinds returns the servers to measure. Those of an earlier build need its binary.
func (o options) chooseKinds(only string) ([]server.Kind, error) {
	named := only != ""
	if o.quick && !named {
		only = quickOnly
		if o.before != "" {
			only += "," + server.Before + "," + server.BeforeChain
		}
	}
	kinds, err := server.Choose(only)
	if err != nil || o.before != "" {
		return kinds, err
	}
	if named && slices.ContainsFunc(kinds, server.Kind.Earlier) {
		return nil, fmt.Errorf("%s and %s need an earlier build: expected -before BINARY", server.Before, server.BeforeChain)
	}
	return slices.DeleteFunc(slices.Clone(kinds), server.Kind.Earlier), nil
}

func chooseParts(names string) ([]string, error) {
	if names == "" {
		return allParts, nil
	}
	chosen := strings.Split(names, ",")
	for _, name := range chosen {
		if !slices.Contains(knownParts, name) {
			return nil, fmt.Errorf("no part %q: there are %s", name, strings.Join(knownParts, ", "))
		}
	}
	return chosen, nil
}

func (o options) has(part string) bool { return slices.Contains(o.parts, part) }

// watchers reports whether a server to measure watches an API server.
func (o options) watchers() bool {
	alone := func(part string) bool { return slices.Contains(knownParts[len(allParts):], part) }
	if !slices.ContainsFunc(o.parts, func(part string) bool { return !alone(part) }) {
		return false
	}
	return slices.ContainsFunc(o.kinds, server.Kind.Watches)
}
