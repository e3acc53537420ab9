package explain

import (
	"bytes"
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
		{"shop", "a.b.c.d.e.f", "musl", 3, []string{"1 a.b.c.d.e.f.  <- decides"}},
	} {
		text, code := run{objects: pods, args: []string{tc.name, "-from", tc.from, "-libc", tc.libc, "-cluster-dns", "10.96.0.10"}}.explain(t)
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
	if text, code := (run{args: []string{"a", "-from", "shop/nobody"}}).explain(t); code != 1 || !strings.Contains(text, "no Pod shop/nobody") {
		t.Errorf("exit code %d, %s", code, text)
	}
}
