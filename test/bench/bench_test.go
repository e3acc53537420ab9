package main

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/bench/queries"
	"github.com/clusterdns/clusterdns/test/bench/report"
	"github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

var small = refcluster.Shape{Seed: 1, Namespaces: 2, Services: 20, Headless: 4, Endpoints: 220, Largest: 30}

func TestParseFlags(t *testing.T) {
	o, err := parseFlags(nil)
	if err != nil || len(o.kinds) != len(server.Kinds)-2 || len(o.parts) != len(allParts) || o.runs != 5 || o.shape != refcluster.Reference {
		t.Errorf("by default: %+v, %v", o, err)
	}
	o, err = parseFlags([]string{"-quick", "-only", "ours,knot", "-parts", "cpu", "-runs", "2"})
	if err != nil || len(o.kinds) != 2 || !o.has(partCPU) || o.has(partMemory) || o.runs != 2 || o.seconds != 2 || o.sets != quickSets {
		t.Errorf("quick: %+v, %v", o, err)
	}
	if o, err = parseFlags([]string{"-quick", "-sets", "ptr"}); err != nil || o.sets != "ptr" {
		t.Errorf("quick with a set: %+v, %v", o, err)
	}
	if o, err = parseFlags([]string{"-parts", "search"}); err != nil || !o.has(partSearch) || o.watchers() || o.rounds != 10 {
		t.Errorf("the search path alone: %+v, %v", o, err)
	}
	if o, err = parseFlags([]string{"-before", "old"}); err != nil || len(o.kinds) != len(server.Kinds) {
		t.Errorf("beside an earlier build: %d servers, %v", len(o.kinds), err)
	}
	for _, args := range [][]string{
		{"-only", "ours,before"}, {"-only", "bind"}, {"-parts", "lunch"}, {"-runs", "-1"}, {"-seconds", "-1"}, {"-changes", "5000"}, {"-pods", "100001"}, {"more"},
	} {
		if _, err := parseFlags(args); err == nil {
			t.Errorf("no error for %v", args)
		}
	}
}

func TestOneServerOfEachProgramForWhatOnlyUDPTellsApart(t *testing.T) {
	o, err := parseFlags(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{options: o, setup: server.Setup{Ours: "ours", Stock: "stock"}}
	var names []string
	for _, kind := range b.ofOneOptions() {
		names = append(names, kind.Name)
	}
	if got := strings.Join(names, " "); got != "ours stock" {
		t.Errorf("%s, want ours and stock", got)
	}
}

// serve runs a DNS server for the test.
func serve(t *testing.T, handler dns.Handler) string {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: packets, Handler: handler}
	ended := make(chan error)
	go func() { ended <- s.ActivateAndServe() }()
	t.Cleanup(func() {
		packets.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return packets.LocalAddr().String()
}

func write(t *testing.T, w dns.ResponseWriter, reply *dns.Msg) {
	if err := w.WriteMsg(reply); err != nil {
		t.Error(err)
	}
}

// The upstream answers from the oracle, so a server with its answers makes no mistake.
func TestCheckAnswers(t *testing.T) {
	o := oracle.New(small)
	u, err := startUpstream(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.stop)
	lying := serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		reply := new(dns.Msg).SetReply(query)
		if rr, err := dns.NewRR(query.Question[0].Name + " 5 IN A 192.0.2.1"); err == nil {
			reply.Answer = []dns.RR{rr}
		}
		write(t, w, reply)
	}))
	for _, set := range queries.Sets(small, o) {
		b := &bench{oracle: o}
		if wrong := b.checkAnswers(t.Context(), "right", u.address, set); wrong != 0 || len(b.problems) != 0 {
			t.Errorf("%s: %d right answers called wrong: %q", set.Name, wrong, b.problems)
		}
		if asked := len(set.Pick(checks)); b.checkAnswers(t.Context(), "lying", lying, set) != asked || len(b.problems) != 1 {
			t.Errorf("%s: not all %d wrong answers were seen: %q", set.Name, asked, b.problems)
		}
	}
}

func TestAwaitSeesAChange(t *testing.T) {
	var asked atomic.Int32
	address := serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		late := asked.Add(1) > 3
		reply := new(dns.Msg).SetRcode(query, dns.RcodeNameError)
		if rr, err := dns.NewRR("new.example. 5 IN A 192.0.2.7"); err == nil && late {
			reply = new(dns.Msg).SetReply(query)
			reply.Answer = []dns.RR{rr}
		}
		write(t, w, reply)
	}))
	a, err := newAwaiter(address)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if err := a.await(t.Context(), time.Minute, 0, event{"new.example.", "192.0.2.7"}); err != nil {
		t.Error(err)
	}
	err = a.await(t.Context(), 50*time.Millisecond, time.Millisecond, event{"new.example.", "192.0.2.8"})
	if err == nil || !strings.Contains(err.Error(), "192.0.2.7") {
		t.Errorf("waiting for what never comes: %v", err)
	}
}

func TestPackAsksWithEDNS(t *testing.T) {
	messages, err := pack(queries.Set{Questions: []queries.Question{{Name: "a.example.", Type: dns.TypeSRV}}})
	if err != nil {
		t.Fatal(err)
	}
	var got dns.Msg
	if err := got.Unpack(messages[0]); err != nil || got.Question[0].Qtype != dns.TypeSRV || got.IsEdns0().UDPSize() != checkEDNS {
		t.Errorf("%v, %v", &got, err)
	}
}

func TestResultsHaveWhatIsNotRight(t *testing.T) {
	b := &bench{options: options{shape: small, runs: 1}, report: report.New([]string{server.Ours})}
	b.report.Add("wrong answers", server.Ours, 1)
	b.note("so much for %s", "that")
	b.note("so much for that")
	for range longList + 5 {
		b.problem("wrong again: %d", len(b.problems))
	}
	var text strings.Builder
	b.write(&text)
	for _, want := range []string{"| wrong answers | 1 |", "* so much for that\n", "* wrong again: 0\n", "* and 5 more\n"} {
		if strings.Count(text.String(), want) != 1 {
			t.Errorf("no %q once in\n%s", want, text.String())
		}
	}
}
