package clusterdns

import (
	"fmt"
	"testing"
)

// A5: a server never publishes a link-local address, even if it is bound to one.
func TestA5NoLinkLocalAddress(t *testing.T) {
	bound := []string{"10.0.0.1", "fe80::1%eth0", "fe80::2", "::ffff:169.254.20.10", "169.254.20.10", "2001:db8::1", "127.0.0.1"}
	if got, want := fmt.Sprint(localAddrs(bound)), "[10.0.0.1 2001:db8::1 127.0.0.1]"; got != want {
		t.Errorf("bound to %s: %s, want %s", bound, got, want)
	}
	if got := localAddrs([]string{"fe80::1%eth0"}); len(got) > 0 {
		t.Errorf("bound to a link-local address alone: %s", got)
	}
	for _, a := range localAddrs([]string{""}) {
		if a.IsLinkLocalUnicast() || a.IsLoopback() {
			t.Errorf("bound to all addresses: %s", a)
		}
	}
}
