package server

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
)

func TestParseMetric(t *testing.T) {
	const text = `# TYPE heap gauge
heap_sys 7
heap 1.5e+07
# HELP packets_total counts
my_packets_total{outcome="dropped",server="dns://:53"} 3
my_packets_total{outcome="dropped",server="a } b"} 4
my_packets_total{outcome="answered",server="dns://:53"} 100
`
	for _, tc := range []struct {
		name, labels string
		want         float64
		found        bool
	}{
		{"heap", "", 15e6, true},
		{"packets_total", "", 107, true},
		{"packets_total", `outcome="dropped"`, 7, true},
		{"packets_total", `outcome="lost"`, 0, false},
		{"stack", "", 0, false},
	} {
		if got, found, err := parseMetric(text, tc.name, tc.labels); err != nil || got != tc.want || found != tc.found {
			t.Errorf("%s %s: %v, %v, %v, want %v, %v", tc.name, tc.labels, got, found, err, tc.want, tc.found)
		}
	}
	if _, _, err := parseMetric("x many\n", "x", ""); err == nil {
		t.Error("no error for a value that is no number")
	}
}

func TestCountsCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		counts Counts
		ok     bool
	}{
		"all counted":            {Counts{Requests: 100, Durations: 100}, true},
		"drops are counted":      {Counts{Requests: 90, Durations: 90, Dropped: 7, Overflowed: 3}, true},
		"one is missing":         {Counts{Requests: 99, Durations: 99}, false},
		"one was counted twice":  {Counts{Requests: 101, Durations: 101}, false},
		"a duration is missing":  {Counts{Requests: 100, Durations: 99}, false},
		"drops are counted more": {Counts{Requests: 90, Durations: 90, Dropped: 11}, false},
	} {
		if err := tc.counts.Check(100); (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	before := Counts{10, 9, 8, 7}
	if got := (Counts{20, 18, 16, 14}).Since(before); got != before {
		t.Errorf("since %v", got)
	}
}

var (
	testSetup     = Setup{Kubeconfig: "/tmp/kube config", Upstream: "127.0.0.1:9", ZoneDir: "/zones", Certificate: "/crt", Key: "/key"}
	testAddresses = Addresses{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:7", "127.0.0.1:3", "127.0.0.1:4", "127.0.0.1:5", "127.0.0.1:6"}
)

func TestCorefileSaysWhatIsAsked(t *testing.T) {
	for name, tc := range map[string]struct {
		corefile Corefile
		verified bool
		has, not []string
	}{
		"kubeadm's": {has: []string{
			".:1 {\n    errors\n    pprof 127.0.0.1:6\n    health 127.0.0.1:3 {", "ready 127.0.0.1:4\n", "prometheus 127.0.0.1:5\n",
			`kubeconfig "/tmp/kube config"`, "pods insecure\n", "forward . 127.0.0.1:9 {",
		}, not: []string{"tls", "whoami", "multisocket", "except"}},
		"verified":    {verified: true, has: []string{"pods verified\n"}},
		"multisocket": {corefile: Corefile{Multisocket: 2}, has: []string{"    multisocket 2\n"}},
		"lines":       {corefile: Corefile{Lines: true}, has: []string{"    rewrite stop name exact never.invalid other.invalid\n    template ANY AAAA .\n    health"}, not: []string{"tsig"}},
		"handed over": {corefile: Corefile{Handed: true}, has: []string{"    tsig {\n"}, not: []string{"rewrite"}},
		"whoami":      {corefile: Corefile{Whoami: true}, has: []string{"    whoami\n", "except cluster.local\n"}, not: []string{"kubernetes"}},
		"tls":         {corefile: Corefile{TLS: true}, has: []string{".:1 tls://.:2 https://.:7 {", `tls "/crt" "/key"`}},
	} {
		setup := testSetup
		setup.Verified = tc.verified
		got := tc.corefile.text(setup, testAddresses)
		for _, want := range tc.has {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
		for _, bad := range tc.not {
			if strings.Contains(got, bad) {
				t.Errorf("%s: %q in\n%s", name, bad, got)
			}
		}
	}
}

func TestStaticServersGetEveryZone(t *testing.T) {
	for _, kind := range Kinds {
		if kind.Corefile != nil {
			continue
		}
		dir := t.TempDir()
		args, err := kind.write(testSetup, testAddresses, dir)
		if err != nil || len(args) < 2 {
			t.Fatalf("%s: %v, %v", kind.Name, args, err)
		}
		for _, origin := range oracle.Zones {
			if text := readFile(t, args[len(args)-1]); !strings.Contains(text, origin+"zone") {
				t.Errorf("%s: no zone %s in\n%s", kind.Name, origin, text)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	if got, err := Choose(""); err != nil || len(got) != len(Kinds) {
		t.Errorf("all: %d, %v", len(got), err)
	}
	got, err := Choose("knot,ours")
	if err != nil || len(got) != 2 || got[0].Name != Ours || got[1].Name != Knot {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Choose("ours,bind"); err == nil || !strings.Contains(err.Error(), `"bind"`) {
		t.Errorf("unknown server: error %v", err)
	}
}

func TestFreeAddresses(t *testing.T) {
	a, err := freeAddresses()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, address := range []string{a.DNS, a.TLSAddress, a.HTTPSAddress, a.Health, a.Ready, a.Metrics, a.Profile} {
		if host, _, err := net.SplitHostPort(address); err != nil || host != "127.0.0.1" || seen[address] {
			t.Errorf("address %q, %v", address, err)
		}
		seen[address] = true
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
