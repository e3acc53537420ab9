package explain

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterdns/clusterdns/plugin/commands"
)

// TestPage: the page prints what the command on it prints.
func TestPage(t *testing.T) {
	t.Chdir("../..")
	page, err := os.ReadFile("doc/explain.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)demo,\n\n```sh\ncoredns explain (.*?)\n```.*?```\n(.*?)```").FindSubmatch(page)
	if m == nil {
		t.Fatal("doc/explain.md has no command with an output behind it")
	}
	var out, errOut bytes.Buffer
	code := commands.Explain(strings.Fields(string(m[1])), strings.NewReader(""), &out, &errOut)
	if diff := cmp.Diff(string(m[2]), out.String()); diff != "" || code != 3 {
		t.Errorf("exit code %d; on the page (-), printed (+):\n%s%s", code, diff, errOut.String())
		t.Log(out.String())
	}
}

// TestJSON: the JSON has the cause and the exit code.
func TestJSON(t *testing.T) {
	text, code := run{args: []string{"db", "-from", "shop", "-o", "json", "-libc", "musl"}}.explain(t)
	for _, w := range []string{`"libc": "musl"`, `"exit": 3`, `"cause": "Service shop/db is headless`, `"rcode": "NXDOMAIN"`} {
		if !strings.Contains(text, w) {
			t.Errorf("without %s", w)
		}
	}
	if code != 3 {
		t.Errorf("exit code %d", code)
	}
}

// long is a suffix of 242 octets but for its end.
var long = strings.Repeat("a123456789.", 22)

// beyondBounds returns Pods of which kubelet does not write all suffixes.
func beyondBounds() string {
	pod := func(name string, searches []string) string {
		return fmt.Sprintf("---\n{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: shop}, spec: {dnsConfig: {searches: [%s]}}}\n", name, strings.Join(searches, ", "))
	}
	octets, several := []string{strings.Repeat("b1234567.", 29) + "c"}, []string{}
	for i := range 9 {
		octets = append(octets, fmt.Sprintf("%s%02d", long, i))
	}
	for i := range 32 {
		several = append(several, fmt.Sprintf("s%d.example", i))
	}
	return pod("long", octets) + pod("several", several)
}

// TestResolvConf: the settings of the Pod decide what is asked.
func TestResolvConf(t *testing.T) {
	const pods = `
---
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: shop}
spec: {hostNetwork: true}
---
apiVersion: v1
kind: Pod
metadata: {name: stranger, namespace: shop}
spec: {dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.1], searches: [shop.svc.cluster.local]}}
---
apiVersion: v1
kind: Pod
metadata: {name: both, namespace: shop}
spec: {dnsConfig: {nameservers: [192.0.2.1]}}
---
apiVersion: v1
kind: Pod
metadata: {name: own, namespace: shop}
spec: {dnsPolicy: None, dnsConfig: {searches: [data.svc.cluster.local], options: [{name: ndots, value: "2"}, {name: use-vc}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: many, namespace: shop}
spec: {dnsConfig: {nameservers: [10.96.0.10, 192.0.2.1, 192.0.2.2, 192.0.2.3], searches: [svc.cluster.local, x.example., x.example],
  options: [{name: timeout, value: "1"}, {name: edns0, value: ""}, {name: timeout, value: "3"}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: root, namespace: shop}
spec: {dnsConfig: {searches: [.]}}
`
	for _, tc := range []struct {
		from, name, libc string
		code             int
		words            []string
	}{
		{"shop/stranger", "api", "glibc", 4, []string{"nameserver 192.0.2.1  search", "has the nameserver 192.0.2.1, and not that of the cluster"}},
		{"shop/both", "api", "glibc", 0, []string{"nameserver 10.96.0.10 192.0.2.1  search shop.svc.cluster.local"}},
		{"shop/host", "api", "glibc", 4, []string{"ClusterFirstWithHostNet"}},
		{"shop/own", "queue", "glibc", 0, []string{"search data.svc.cluster.local  ndots:2  use-vc  (None)", "1 queue.data.svc.cluster.local.", "10.96.0.8"}},
		{"shop/own", "api.shop.svc.cluster.local", "musl", 0, []string{"1 api.shop.svc.cluster.local."}},
		{"shop/many", "api", "glibc", 0, []string{"nameserver 10.96.0.10 192.0.2.1 192.0.2.2  search shop.svc.cluster.local svc.cluster.local cluster.local x.example. x.example  ndots:5  timeout:3 edns0  (ClusterFirst)"}},
		{"shop/root", "nothing", "glibc", 3, []string{"cluster.local .  ndots:5", "4 nothing.\n"}},
		{"shop/long", "api", "glibc", 0, []string{"cluster.local " + long + "00 ", long + "07  ndots:5"}},
		{"shop/several", "api", "glibc", 0, []string{"s28.example  ndots:5"}},
		{"shop", "a.b.c.d.e.f", "musl", 3, []string{"1 a.b.c.d.e.f.  <- decides"}},
	} {
		text, code := run{objects: pods + beyondBounds(), args: []string{tc.name, "-from", tc.from, "-libc", tc.libc, "-cluster-dns", "10.96.0.10"}}.explain(t)
		for _, w := range tc.words {
			if code != tc.code || !strings.Contains(text, w) {
				t.Errorf("%s of %s: exit code %d, want %d and %q:\n%s", tc.name, tc.from, code, tc.code, w, text)
			}
		}
	}
}

// TestUsage: what cannot be explained exits with 1.
func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"a", "b"}, {"-type", "X", "a"}, {"-libc", "bionic", "a"}, {"-conf", "no-such-file", "a"}, {"-o", "yaml", "a"}} {
		if text, code := (run{args: args}).explain(t); code != 1 || text == "" {
			t.Errorf("%q: exit code %d, %s", args, code, text)
		}
	}
}

// TestNoPod: a Pod that is not there cannot ask, and one line says so.
func TestNoPod(t *testing.T) {
	const want = "the manifests have no Pod shop/nobody: write one of theirs behind -from, or the Namespace alone\n"
	if text, code := (run{args: []string{"a", "-from", "shop/nobody"}}).explain(t); code != 4 || text != want {
		t.Errorf("exit code %d, %s", code, text)
	}
	if text, code := (run{args: []string{"a", "-from", "shop/nobody", "-o", "json"}}).explain(t); code != 4 || !strings.Contains(text, `{"error":"the manifests have no Pod shop/nobody`) {
		t.Errorf("exit code %d, %s", code, text)
	}
}

// TestSpelling: what is no name is explained as the name that is meant, and what to write is in a note, or refused.
func TestSpelling(t *testing.T) {
	for _, tc := range []struct {
		name  string
		code  int
		words []string
	}{
		{"http://api/x", 0, []string{"1 api.shop.svc.cluster.local.", "note: http://api/x is a URL", "where a program expects a name, write api"}},
		{"api:80", 0, []string{"10.96.0.7", "note: api:80 has a port"}},
		{"api/path", 0, []string{"10.96.0.7", "note: api/path has a slash"}},
		{"svc/api", 0, []string{"10.96.0.7", "note: svc/api is a form of kubectl's"}},
		{"API", 0, []string{"10.96.0.7", "note: API is the same name as api"}},
		{"api ", 0, []string{"10.96.0.7", `note: "api " has blanks at an end`}},
		{"my api", 1, []string{`"my api" has a blank within`}},
		{"api..", 1, []string{"api.. has a dot too many", "Write api"}},
		{"10.96.0.7", 0, []string{"1 7.0.96.10.in-addr.arpa.", "PTR", "api.shop.svc.cluster.local.", "note: 10.96.0.7 is an address, which programs use without asking"}},
		{"10.96.0.99", 3, []string{"cause: no Service and no ready endpoint of a Service has the address 10.96.0.99, so it has no name: "}},
		{"192.0.2.1", 3, []string{"192.0.2.1"}},
	} {
		text, code := run{args: []string{tc.name, "-from", "shop"}}.explain(t)
		for _, w := range tc.words {
			if code != tc.code || !strings.Contains(text, w) {
				t.Errorf("%q: exit code %d, want %d and %q:\n%s", tc.name, code, tc.code, w, text)
			}
		}
	}
}
