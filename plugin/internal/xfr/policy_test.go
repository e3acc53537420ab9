package xfr

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
)

// The result is that of the plugin transfer.
func TestTransferPolicy(t *testing.T) {
	blocks, err := caddyfile.Parse("Corefile", strings.NewReader(`cluster.local example.org {
	transfer {
		to 10.0.0.1 10.0.0.2:5353
		to 2001:db8::1
		to *
	}
	transfer Example.Net 10.0.0.0/8 {
		source 10.0.0.9
		to 10.0.0.3
	}
}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := ParsePolicy(blocks[0].Tokens["transfer"], []string{"cluster.local.", "example.org."})
	want := Policy{
		{Zones: []string{"cluster.local.", "example.org."}, To: []string{"10.0.0.1:53", "10.0.0.2:5353", "[2001:db8::1]:53", "*"}},
		{Zones: []string{"example.net.", "10.in-addr.arpa."}, To: []string{"10.0.0.3:53"}, Source: net.IPv4(10, 0, 0, 9)},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
