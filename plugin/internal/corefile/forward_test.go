package corefile

import (
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
)

func TestMaxConcurrent(t *testing.T) {
	for text, want := range map[string]int{
		"":                         0,
		"forward . 192.0.2.1":      0,
		"forward . 192.0.2.1 {\n}": 0,
		"forward . 192.0.2.1 {\n max_concurrent 1000\n}":                                                           1000,
		"forward a. 192.0.2.1 {\n max_concurrent 10\n}\nforward . 192.0.2.1 {\n max_concurrent 70\n prefer_udp\n}": 70,
		"forward . 192.0.2.1 {\n max_concurrent many\n}":                                                           0,
	} {
		b := blockOf("53", "cluster.local.")
		parsed, err := caddyfile.Parse("Corefile", strings.NewReader(". {\n"+text+"\n}"), dnsserver.Directives)
		if err != nil {
			t.Fatal(err)
		}
		b.Tokens = parsed[0].Tokens
		if got := MaxConcurrent(b.Configs[0], []Block{blockOf("53", "example."), b}); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
