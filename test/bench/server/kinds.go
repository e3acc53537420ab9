package server

import (
	"fmt"
	"os/exec"
	"strings"
)

// The names of the servers.
const (
	Ours        = "ours"
	Chain       = "chain"
	Before      = "before"
	BeforeChain = "before-chain"
	Lines       = "lines"
	Top         = "top"
	TopChain    = "top-chain"
	Handed      = "handed"
	Stock       = "stock"
	StockLines  = "stock-lines"
	StockHanded = "stock-handed"
	Multisocket = "multisocket"
	Whoami      = "whoami"
	Knot        = "knot"
	NSD         = "nsd"
)

// Kind is a server that can be measured.
type Kind struct {
	Name  string
	Title string

	// Names is set if the server has the names of the cluster.
	Names bool
	// Set is the name of the only set of questions that the server is asked. It is asked all
	// if it is empty.
	Set string
	// Corefile is set for CoreDNS, with the additions to kubeadm's Corefile; it is nil for
	// other servers.
	Corefile *Corefile
	// Env is added to the server's environment.
	Env []string

	program func(Setup) string
	write   func(s Setup, a Addresses, dir string) ([]string, error) // writes the files and returns the arguments
}

// fastPathOff is the environment in which our build answers through CoreDNS's own sockets
// and the plugin chain.
const fastPathOff = "CLUSTERDNS_FASTPATH=off"

// topOn is the environment in which our build counts who asks what.
const topOn = "CLUSTERDNS_TOP=on"

// Kinds are all servers, in the order of the table's columns.
var Kinds = []Kind{
	{Name: Ours, Title: "ClusterDNS", Names: true, Corefile: &Corefile{}, program: ours},
	{Name: Chain, Title: "ClusterDNS, chain only", Names: true, Corefile: &Corefile{}, Env: []string{fastPathOff}, program: ours},
	{Name: Before, Title: "ClusterDNS before", Names: true, Corefile: &Corefile{}, program: before},
	{Name: BeforeChain, Title: "ClusterDNS before, chain only", Names: true, Corefile: &Corefile{}, Env: []string{fastPathOff}, program: before},
	{Name: Lines, Title: "ClusterDNS, lines", Names: true, Set: "service-a", Corefile: &Corefile{Lines: true}, program: ours},
	{Name: Top, Title: "ClusterDNS, top", Names: true, Set: "service-a", Corefile: &Corefile{}, Env: []string{topOn}, program: ours},
	{Name: TopChain, Title: "ClusterDNS, top, chain only", Names: true, Set: "service-a", Corefile: &Corefile{}, Env: []string{topOn, fastPathOff}, program: ours},
	{Name: Handed, Title: "ClusterDNS, handed over", Names: true, Corefile: &Corefile{Handed: true}, program: ours},
	{Name: Stock, Title: "CoreDNS", Names: true, Corefile: &Corefile{}, program: stock},
	{Name: StockLines, Title: "CoreDNS, lines", Names: true, Set: "service-a", Corefile: &Corefile{Lines: true}, program: stock},
	{Name: StockHanded, Title: "CoreDNS, tsig", Names: true, Corefile: &Corefile{Handed: true}, program: stock},
	{Name: Multisocket, Title: "CoreDNS, multisocket 2", Names: true, Corefile: &Corefile{Multisocket: 2}, program: stock},
	{Name: Whoami, Title: "CoreDNS, whoami", Corefile: &Corefile{Whoami: true}, program: stock},
	{Name: Knot, Title: "Knot DNS", Names: true, program: func(Setup) string { return systemProgram("knotd") }, write: writeKnot},
	{Name: NSD, Title: "NSD", Names: true, program: func(Setup) string { return systemProgram("nsd") }, write: writeNSD},
}

func ours(s Setup) string   { return s.Ours }
func before(s Setup) string { return s.Before }
func stock(s Setup) string  { return s.Stock }

// Earlier reports whether the server is an earlier build of ours, which needs a binary.
func (k Kind) Earlier() bool { return k.Name == Before || k.Name == BeforeChain }

// systemProgram returns the path of a program, also for a user whose PATH does not have the
// folders of daemons.
func systemProgram(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return "/usr/sbin/" + name
}

// Choose returns the named kinds, in the order of Kinds.
func Choose(names string) ([]Kind, error) {
	if names == "" {
		return Kinds, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		wanted[name] = true
	}
	var chosen []Kind
	var known []string
	for _, kind := range Kinds {
		known = append(known, kind.Name)
		if wanted[kind.Name] {
			chosen = append(chosen, kind)
		}
		delete(wanted, kind.Name)
	}
	for name := range wanted {
		return nil, fmt.Errorf("no server %q: there are %s", name, strings.Join(known, ", "))
	}
	return chosen, nil
}

// Program returns the path of the binary.
func (k Kind) Program(s Setup) string { return k.program(s) }

// Watches reports whether the server gets its names from the API server.
func (k Kind) Watches() bool { return k.Corefile != nil && k.Names }

// Version returns what the program reports as its version.
func (k Kind) Version(s Setup) string {
	args := map[string]string{Knot: "-V", NSD: "-v"}
	arg, ok := args[k.Name]
	if !ok {
		arg = "-version"
	}
	out, err := exec.Command(k.program(s), arg).CombinedOutput()
	if len(out) == 0 && err != nil {
		return err.Error()
	}
	if k.Corefile != nil {
		return strings.Join(strings.Fields(string(out)), " ")
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}
