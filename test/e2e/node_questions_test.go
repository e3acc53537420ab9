//go:build e2e

package e2e

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/dnsperf"
	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/bench/report"
	"github.com/clusterdns/clusterdns/test/lab"
)

// questions is how many questions a round has, and questionRounds how many rounds there are: whether client and
// server share a processor, which changes in between, makes more of a difference than the server does.
const (
	questions      = 5000
	questionRounds = 9
)

// questionKinds are what a Pod asks for.
var questionKinds = []struct {
	name  string
	names func(places []place, namespace string) []string
}{
	{"own names", func(places []place, namespace string) []string {
		names := []string{kubernetesName, "kube-dns.kube-system.svc.cluster.local."}
		for _, p := range places {
			names = append(names, p.server+"."+namespace+".svc.cluster.local.", p.server+"-local."+namespace+".svc.cluster.local.")
		}
		return names
	}},
	{"an outside name", func([]place, string) []string { return []string{"www.example.com."} }},
}

// TestFiguresOfQuestions measures how long a Pod waits for an answer, and what that costs the server
// on its node.
func TestFiguresOfQuestions(t *testing.T) {
	if !*figures {
		t.Skip("measures for minutes: make e2e-figures")
	}
	namespace, places := twoPlaces(t, "questions")
	var table strings.Builder
	before := proc.ReadLoad()
	for _, d := range append(slices.Clone(nodeDNSes), centralDNS) {
		t.Run(d.name, func(t *testing.T) {
			d.install(t)
			for _, kind := range questionKinds {
				row := fmt.Sprintf("| %s | %s | %s |", kind.name, d.name, measureQuestions(t, d, places[0], kind.names(places, namespace)))
				t.Log(row)
				table.WriteString(row + "\n")
			}
		})
	}
	t.Logf("%s\n| asked for | answered by | p50 | p99 | CPU per question | the same, as many as are answered | peak RSS |\n|---|---|---|---|---|---|---|\n%s", proc.ReadLoad().Since(before), table.String())
}

// centralDNS is what the lab has installed.
var centralDNS = nodeDNS{
	name: "Deployment", install: func(t *testing.T) { awaitSettled(t) }, selector: "k8s-app=kube-dns", daemonSet: "deployment/coredns",
}

// measureQuestions asks for names from a Pod, one question after the other and then as many as are
// answered, and returns the cells of a table.
func measureQuestions(t *testing.T, d nodeDNS, p place, names []string) string {
	t.Helper()
	servers := serversFor(t, d, p)
	eventually(t, p.ask) // the stand-in has no readiness
	a := &asker{t: t, from: p.network}
	a.ask(names, questions/20) // the caches are full then, and code is in memory
	before := cpuOf(t, servers)
	var p50, p99 []time.Duration
	for range questionRounds {
		took := a.ask(names, questions)
		slices.Sort(took)
		p50, p99 = append(p50, report.Percentile(took, 50)), append(p99, report.Percentile(took, 99))
	}
	used := cpuOf(t, servers) - before
	cost := float64(used.Microseconds()) / (questions * questionRounds)
	crowded := costOfMany(t, servers, p, names)
	milliseconds := func(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1e3) }
	return fmt.Sprintf("%s | %s | %.0f µs | %.1f µs | %.0f MiB", spread(p50, itself, milliseconds), spread(p99, itself, milliseconds), cost, crowded, peakOf(t, servers))
}

func itself(d time.Duration) time.Duration { return d }

// manyFor is how long a Pod asks as much as is answered.
const manyFor = 5 * time.Second

// costOfMany returns the CPU time of a question in microseconds, while a Pod asks as much as is answered.
func costOfMany(t *testing.T, servers []int, p place, names []string) float64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "questions")
	if err := os.WriteFile(file, []byte(strings.Join(names, " A\n")+" A\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	before := cpuOf(t, servers)
	var result dnsperf.Result
	err := cluster.WithinPod(p.network, func() (err error) {
		result, err = dnsperf.Run(ctx, dnsperf.Load{Server: lab.DNS, File: file, Mode: "udp", Time: manyFor})
		return err
	})
	if noError := dns.RcodeToString[dns.RcodeSuccess]; err != nil || result.Completed == 0 || result.Rcodes[noError] != result.Completed {
		t.Fatalf("%+v: %v", result, err)
	}
	t.Logf("%.0f questions/s, %d of %d lost", result.Rate, result.Lost, result.Sent)
	return float64((cpuOf(t, servers) - before).Microseconds()) / float64(result.Completed)
}

// serversFor returns the processes that answer a Pod: those of all Pods of a Deployment, and that of
// the node otherwise.
func serversFor(t *testing.T, d nodeDNS, p place) (pids []int) {
	t.Helper()
	nodes := []*lab.Node{p.Node}
	if d.configMap == "" {
		nodes = cluster.Nodes()
	}
	for _, n := range nodes {
		list := kubectl(t, "get", "pods", "--namespace="+dnsNamespace, "--selector="+d.selector, "--field-selector=spec.nodeName="+n.Name,
			"-o", "jsonpath={.items[*].status.containerStatuses[0].containerID}")
		for id := range strings.FieldsSeq(list) {
			pids = append(pids, processesOf(t, strings.TrimPrefix(id, "containerd://"))...)
		}
	}
	if len(pids) == 0 {
		t.Fatalf("%s has no process", d.name)
	}
	return pids
}

func cpuOf(t *testing.T, pids []int) (sum time.Duration) {
	t.Helper()
	for _, pid := range pids {
		used, err := proc.ReadTicks(pid)
		if err != nil {
			t.Fatal(err)
		}
		sum += used
	}
	return sum
}

// peakOf returns the highest peak of the processes, in MiB.
func peakOf(t *testing.T, pids []int) (peak float64) {
	t.Helper()
	for _, pid := range pids {
		memory, err := proc.ReadMemory(pid)
		if err != nil {
			t.Fatal(err)
		}
		peak = max(peak, memory.Peak/(1<<20))
	}
	return peak
}

// asker asks from a Pod with system calls that block: Go's poller would add time of its own.
type asker struct {
	t    *testing.T
	from lab.PodNetwork
}

// ask asks so many questions, each from a port of its own, and returns how long each took.
func (a *asker) ask(names []string, count int) []time.Duration {
	a.t.Helper()
	var packets [][]byte
	for _, name := range names {
		packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
		if err != nil {
			a.t.Fatal(err)
		}
		packets = append(packets, packet)
	}
	took := make([]time.Duration, 0, count)
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	err := cluster.WithinPod(a.from, func() error {
		for i := range count {
			one, err := exchangeOnce(packets[i%len(packets)], nextPort(a.from))
			if err = errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			took = append(took, one)
		}
		return nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return took
}

// exchangeOnce sends a packet from a port and waits for its reply.
func exchangeOnce(packet []byte, port int) (took time.Duration, err error) {
	server := netip.MustParseAddrPort(lab.DNS)
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(socket)
	err = errors.Join(
		syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: int64(resolverTimeout.Seconds())}),
		syscall.Bind(socket, &syscall.SockaddrInet4{Port: port}),
		syscall.Connect(socket, &syscall.SockaddrInet4{Port: int(server.Port()), Addr: server.Addr().As4()}),
	)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if _, err := syscall.Write(socket, packet); err != nil {
		return 0, err
	}
	var reply [1500]byte
	n, err := syscall.Read(socket, reply[:])
	for errors.Is(err, syscall.EINTR) { // by Go's runtime
		n, err = syscall.Read(socket, reply[:])
	}
	took = time.Since(began)
	const header = 12
	if err != nil || n < header {
		return took, fmt.Errorf("%d octets received: %w", n, err)
	}
	if rcode, answers := reply[3]&0xf, binary.BigEndian.Uint16(reply[6:]); rcode != dns.RcodeSuccess || answers == 0 {
		return took, fmt.Errorf("answered %s with %d records", dns.RcodeToString[int(rcode)], answers)
	}
	return took, nil
}
