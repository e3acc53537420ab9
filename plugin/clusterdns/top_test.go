package clusterdns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/rewrite"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/commands"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
	"github.com/clusterdns/clusterdns/test/kit/upstream"
)

// topManifest has a Pod at this machine, and a Service that is an alias of a name outside.
const topManifest = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.3.0.1}
---
apiVersion: v1
kind: Service
metadata: {name: away, namespace: shop}
spec: {type: ExternalName, externalName: a.example.org}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIPs: [{ip: 127.0.0.1}]}
`

// topCorefile returns a Corefile with properties.
func topCorefile(t *testing.T, properties string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte(topManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := upstream.Start(t, func(r *dns.Msg) *dns.Msg {
		switch {
		case strings.HasPrefix(r.Question[0].Name, "fails."):
			return new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
		case r.Question[0].Qtype != dns.TypeA:
			return new(dns.Msg).SetReply(r)
		}
		return upstream.Address(r, 300)
	})
	return fmt.Sprintf(".:PORT {\n bind 127.0.0.1\n rewrite name from.example.org. db.shop.svc.cluster.local.\n cache\n kubernetes cluster.local {\n manifests %s\n %s\n}\n forward . %s {\n prefer_udp\n}\n}\n",
		path, properties, outside)
}

// startTop starts a server that counts in a tally of its own, whose clock stands still.
func startTop(t *testing.T, properties string) (s *coredns.Server, addr string) {
	t.Helper()
	t.Setenv(topModes.variable, "") // what the Corefile says is tested
	tally = top.New(func() time.Time { return time.Unix(1_000_000, 0) })
	addr = fmt.Sprintf("127.0.0.1:%d", unusedPort(t))
	s = coredns.StartTest(t, strings.Replace(topCorefile(t, properties), "PORT", addr[len("127.0.0.1:"):], 1))
	s.AwaitServing()
	s.AwaitFastPath(t)
	return s, addr
}

// unusedPort returns a port that is free for UDP and TCP: our sockets need one of its own.
func unusedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// askTop asks all questions so often, and returns how often each code was the answer.
func askTop(t *testing.T, network, addr string, times int) map[string]int {
	t.Helper()
	conn, err := coredns.Client(network).Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rcodes := map[string]int{}
	for _, q := range []struct {
		name  string
		qtype uint16
	}{
		{"db.shop.svc.cluster.local.", dns.TypeA}, {"DB.shop.svc.cluster.local.", dns.TypeAAAA}, {"no.shop.svc.cluster.local.", dns.TypeA},
		{"db.shop.svc.cluster.local.", dns.TypeTXT}, {"away.shop.svc.cluster.local.", dns.TypeA},
		{"www.example.org.", dns.TypeA}, {"fails.example.org.", dns.TypeA}, {"from.example.org.", dns.TypeA},
	} {
		for range times {
			m, _, err := coredns.Client(network).ExchangeWithConn(new(dns.Msg).SetQuestion(q.name, q.qtype), conn)
			if err != nil {
				t.Fatalf("%s over %s: %v", q.name, network, err)
			}
			rcodes[dns.RcodeToString[m.Rcode]]++
		}
	}
	return rcodes
}

// asMap returns a list as a map.
func asMap(rows []top.Row) map[string]int {
	m := map[string]int{}
	for _, r := range rows {
		m[r.Item] = int(r.Questions)
	}
	return m
}

// Each question counts once: at the sockets, whoever's reply they give, at the head of the chain and in it.
// What plugins ask on a client's behalf does not count.
func TestTopCountsEveryQuestion(t *testing.T) {
	const times = 20
	for _, fastPath := range []string{"", "off"} {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(network+" with the fast path "+fastPath, func(t *testing.T) {
				t.Setenv("CLUSTERDNS_FASTPATH", fastPath)
				_, addr := startTop(t, "top\n pods verified")
				rcodes := askTop(t, network, addr, times)
				const all = 8 * times
				answered := metrics.Total(t, "coredns_clusterdns_fastpath_packets_total", "server=dns://"+addr, "outcome=answered")
				if network == "udp" && fastPath == "" && answered < 4*times+times/2 {
					t.Errorf("%g questions answered at the sockets: no replies of the cache", answered)
				}
				await.True(t, time.Minute, "all is counted", func() bool { return tally.Report().Questions >= all }) // the chain counts behind the reply
				r := tally.Report()
				if got := asMap(r.Rcodes); r.Questions != all || r.Counted != all || !maps.Equal(got, rcodes) || rcodes["SERVFAIL"] != times {
					t.Errorf("%d questions: %v, sent %v", r.Questions, got, rcodes)
				}
				names := map[string]int{
					"db.shop.svc.cluster.local.": 3 * times, "no.shop.svc.cluster.local.": times, "away.shop.svc.cluster.local.": times, "example.org.": 3 * times,
				}
				if got := asMap(r.Names); !maps.Equal(got, names) {
					t.Errorf("%v, want %v", got, names)
				}
				if c := r.Clients[0]; c.Item != "127.0.0.1" || c.Namespace != "shop" || len(r.Clients) > 1 || asMap(r.Namespaces)["shop"] != all {
					t.Errorf("%v, %v", r.Clients, r.Namespaces)
				}
			})
		}
	}
}

// Without the property nothing is counted, and a reload may begin or end it.
func TestTopByReload(t *testing.T) {
	s, addr := startTop(t, "")
	want := 0
	for _, properties := range []string{"top off", "top", "ttl 7\n top", ""} {
		text := strings.Replace(topCorefile(t, properties), "PORT", addr[len("127.0.0.1:"):], 1)
		if err := s.Reload(coredns.Input(text)); err != nil {
			t.Fatal(err)
		}
		s.AwaitServing()
		s.AwaitFastPath(t)
		askTop(t, "udp", addr, 1)
		if slices.Contains(strings.Fields(properties), "top") && properties != "top off" {
			want += 8
		}
		await.True(t, time.Minute, "the questions are counted", func() bool { return tally.Report().Questions >= uint64(want) })
		if got := tally.Report().Questions; got != uint64(want) {
			t.Errorf("%q: %d questions, want %d", properties, got, want)
		}
	}
}

func TestParseTop(t *testing.T) {
	for _, tc := range []struct {
		line, environment string
		on, refused       bool
	}{
		{"", "", false, false},
		{"top", "", true, false},
		{"top on", "off", true, false},
		{"top off", "on", false, false},
		{"", "on", true, false},
		{"", "off", false, false},
		{"", "yes", false, true},
		{"top all", "", false, true},
	} {
		cfg, err := parseText(t, "clusterdns cluster.local {\n "+tc.line+"\n}")
		if err == nil {
			err = cfg.topFrom(func(string) string { return tc.environment })
		}
		if (err != nil) != tc.refused || err == nil && cfg.top.mode != tc.on {
			t.Errorf("%q with %q: %v", tc.line, tc.environment, err)
		}
	}
}

// topPrinted returns what the command prints that asks the server of this process.
func topPrinted(args ...string) (out, errOut string, code int) {
	var text, problem bytes.Buffer
	code = commands.Top(append([]string{"-n", "1", "-server", strconv.Itoa(os.Getpid())}, args...), &text, &problem)
	return text.String(), problem.String(), code
}

// The command asks the server in its Pod, through the socket that coredns explain uses.
func TestTopCommand(t *testing.T) {
	s, addr := startTop(t, "top\n pods verified")
	askTop(t, "udp", addr, 5)
	await.True(t, time.Minute, "the questions are counted", func() bool { return tally.Report().Questions >= 40 })
	out, _, code := topPrinted()
	if code != 0 || !strings.HasPrefix(out, "40 questions in ") || !strings.HasSuffix(out, "100.0 %  shop\n") {
		t.Errorf("exit code %d: %s", code, out)
	}
	out, _, code = topPrinted("-by", "name", "-o", "json")
	var l top.List
	if err := json.Unmarshal([]byte(out), &l); err != nil || code != 0 || l.Questions != 40 || len(l.Rows) != 4 || l.Rows[0].Questions != 15 || l.Rows[0].Share != 0.375 {
		t.Errorf("exit code %d, %v: %s", code, err, out)
	}
	for _, tc := range []struct{ properties, want string }{
		{"explain", "it does not count who asks what: write top into the block of the directive kubernetes in its Corefile, or set CLUSTERDNS_TOP=on"},
		{"top", ""},
	} {
		if err := s.Reload(coredns.Input(strings.Replace(topCorefile(t, tc.properties), "PORT", addr[len("127.0.0.1:"):], 1))); err != nil {
			t.Fatal(err)
		}
		await.True(t, time.Minute, "the new Corefile counts: "+tc.properties, func() bool {
			_, problem, code := topPrinted("-by", "rcode")
			return strings.Contains(problem, tc.want) && (code == 0) == (tc.want == "")
		})
	}
}

// Where questions are sampled, the counts are near to what was asked: within six standard deviations.
func TestTopSamples(t *testing.T) {
	_, addr := startTop(t, "top")
	const times, exact, oneIn = 500, 1000, 16
	askTop(t, "udp", addr, times)
	settled := uint64(0)
	await.True(t, time.Minute, "all is counted", func() bool { // the chain counts behind the reply
		before := settled
		settled = tally.Report().Counted
		return before == settled
	})
	r := tally.Report()
	off := math.Abs(float64(r.Questions) - 8*times)
	if r.OneIn != oneIn || r.Counted >= 2*exact || off > 6*math.Sqrt((oneIn-1)*(8*times-exact)) {
		t.Errorf("%d questions, of %d; one in %d was counted, %d in all", r.Questions, 8*times, r.OneIn, r.Counted)
	}
}
