package convert

import (
	"testing"
)

func TestA6ParseAddr(t *testing.T) {
	for _, text := range []string{"10.244.001.031", "::ffff:10.244.001.031"} {
		if got := ParseAddr(text); got != addrs("10.244.1.31")[0] {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range []string{"", "10.244.1", "10.244.1.0310", "0x0a.1.1.1", "10.244.1.31 ", "fe80::1%eth0", "10.244.1.31/32"} {
		if got := ParseAddr(text); got.IsValid() {
			t.Errorf("%s: %v", text, got)
		}
	}
}
