package corefile_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"

	"github.com/clusterdns/clusterdns/test/kit/corefile"
)

func TestKubeadmAsItIs(t *testing.T) {
	file, err := os.ReadFile("../../differential/testdata/corefiles/kubeadm.corefile")
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(string(file), "\n") // its first line is a comment
	if got := (corefile.Kubeadm{}).String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// Every value is where it belongs, and everything in one block of its own braces.
func TestFilledIn(t *testing.T) {
	for _, tc := range []struct {
		title, text string
		keys        []string
		want        map[string]string // directives of the last block
	}{
		{
			"kubeadm", corefile.Kubeadm{
				Listen: ".:1053", Health: "h:1", Ready: "r:1", Metrics: "m:1", Upstream: "u", Lines: []string{"bind a"}, Pods: "verified",
				Properties: []string{"kubeconfig k"}, Forward: []string{"except e"}, NoLoop: true,
			}.String(), []string{".:1053"}, map[string]string{
				"bind": "a", "errors": "", "health": "h:1 { lameduck 5s }", "ready": "r:1", "prometheus": "m:1", "reload": "", "loadbalance": "",
				"kubernetes": "cluster.local in-addr.arpa ip6.arpa { pods verified fallthrough in-addr.arpa ip6.arpa ttl 30 kubeconfig k }",
				"forward":    ". u { max_concurrent 1000 except e }", "cache": "30 { disable success cluster.local disable denial cluster.local }",
			},
		},
		{"reduced", corefile.Kubeadm{Source: "whoami", Reduced: true}.String(), []string{".:53"}, map[string]string{
			"errors": "", "whoami": "", "forward": ". /etc/resolv.conf { max_concurrent 1000 }", "loadbalance": "",
			"cache": "30 { disable success cluster.local disable denial cluster.local }",
		}},
		{
			"NodeLocal", corefile.NodeLocal{Cluster: "c"}.String(), []string{"cluster.local:53", "in-addr.arpa:53", "ip6.arpa:53", ".:53"}, map[string]string{
				"errors": "", "cache": "30", "reload": "", "loop": "", "bind": "169.254.20.10 10.96.0.10", "prometheus": ":9253", "forward": ". /etc/resolv.conf",
			},
		},
	} {
		t.Run(tc.title, func(t *testing.T) {
			keys, got := parse(t, tc.text)
			if !slices.Equal(keys, tc.keys) || !maps.Equal(got, tc.want) {
				t.Errorf("%q of %q, want %q of %q", got, keys, tc.want, tc.keys)
			}
		})
	}
}

// parse returns the keys of all server blocks, and the directives of the last.
func parse(t *testing.T, text string) (keys []string, last map[string]string) {
	t.Helper()
	blocks, err := caddyfile.Parse("Corefile", strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		keys, last = append(keys, b.Keys...), map[string]string{}
		for directive, tokens := range b.Tokens {
			var words []string
			for _, token := range tokens[1:] {
				words = append(words, token.Text)
			}
			last[directive] = strings.Join(words, " ")
		}
	}
	return keys, last
}
