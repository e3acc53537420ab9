// Package queries makes the sets of questions for measurements.
package queries

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

// Question is one question.
type Question struct {
	Name string
	Type uint16
}

func (q Question) String() string { return q.Name + " " + dns.TypeToString[q.Type] }

// Set is a number of questions of one kind, in an order without pattern.
type Set struct {
	Name      string
	Title     string
	Questions []Question
}

// HasOutside reports whether some of the questions are about names outside the cluster.
func (s Set) HasOutside() bool {
	return slices.ContainsFunc(s.Questions, func(q Question) bool { return dns.IsSubDomain(oracle.Outside, q.Name) })
}

// Write writes the questions as dnsperf reads them.
func (s Set) Write(w io.Writer) error {
	lines := bufio.NewWriter(w)
	for _, q := range s.Questions {
		fmt.Fprintln(lines, q)
	}
	return lines.Flush()
}

// maker makes the questions about one cluster.
type maker struct {
	shape    refcluster.Shape
	oracle   *oracle.Oracle
	random   *rand.Rand
	virtual  []int // Services with a ClusterIP
	headless []int // headless Services with ten endpoints
}

// mixSize is how many questions the mix has.
const mixSize = 20_000

// Sets returns all sets, in the order in which they are measured.
func Sets(shape refcluster.Shape, o *oracle.Oracle) []Set {
	m := &maker{shape: shape, oracle: o, random: rand.New(rand.NewPCG(shape.Seed, 0)), virtual: shape.VirtualServices(shape.Services)}
	for _, service := range shape.HeadlessServices(shape.Services) {
		if from, to := shape.EndpointRange(service); to-from == 10 {
			m.headless = append(m.headless, service)
		}
	}
	return []Set{
		m.set("service-a", "Service A", m.services(dns.TypeA)),
		m.set("service-aaaa", "Service AAAA, NODATA", m.services(dns.TypeAAAA)),
		m.set("headless-10", "headless of 10, A", m.headlessA()),
		m.set("headless-1000", fmt.Sprintf("headless of %d, A", shape.Largest), m.largest()),
		m.set("srv", "Service SRV", m.srv()),
		m.set("ptr", "ClusterIP PTR", m.ptr()),
		m.set("nxdomain", "NXDOMAIN by search path", m.searched(mixSize)),
		m.set("mix", "mix", m.mix()),
		m.set("outside", "outside names from cache", m.outside()),
	}
}

// Choose returns the named sets, in the order of all.
func Choose(all []Set, names string) ([]Set, error) {
	var chosen []Set
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		wanted[name] = true
	}
	var known []string
	for _, set := range all {
		known = append(known, set.Name)
		if names == "" || wanted[set.Name] {
			chosen = append(chosen, set)
		}
		delete(wanted, set.Name)
	}
	if names == "" {
		return chosen, nil
	}
	for name := range wanted {
		return nil, fmt.Errorf("no query set %q: there are %s", name, strings.Join(known, ", "))
	}
	return chosen, nil
}

// Pick returns up to n questions of the set, spread over it.
func (s Set) Pick(n int) []Question {
	n = min(n, len(s.Questions))
	picked := make([]Question, n)
	for i := range picked {
		picked[i] = s.Questions[i*len(s.Questions)/n]
	}
	return picked
}

// Rcodes returns the response codes that the answers to a set must have.
func (s Set) Rcodes(o *oracle.Oracle) map[string]bool {
	codes := map[string]bool{}
	for _, q := range s.Questions {
		codes[dns.RcodeToString[o.Lookup(q.Name, q.Type).Rcode]] = true
	}
	return codes
}
