package convert

import (
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
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

// A text of an address may be longer than a label. Its endpoint has the label of the address.
func TestA6LongText(t *testing.T) {
	for zeros, want := range map[int]string{4: "fd00-0--00001", 80: ""} {
		text := "fd00:0::" + strings.Repeat("0", zeros) + "1"
		slice := New(Settings{}).Slice(decode[discoveryv1.EndpointSlice](t, webSliceMeta+`
addressType: IPv6
endpoints: [{addresses: ["`+text+`"]}]`))
		e := slice.Endpoints.At(0)
		if got := e.OwnLabel(); e.Addr != addrs("fd00::1")[0] || got != want {
			t.Errorf("%s: %s with the label %q", text, e.Addr, got)
		}
	}
}
