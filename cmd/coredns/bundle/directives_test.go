package bundle

import (
	"slices"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
)

// The order is security-relevant (an acl must come before what it guards), so
// a new CoreDNS version may not change it behind our back.
func TestDirectivesFollowCoreDNS(t *testing.T) {
	want := slices.Clone(dnsserver.Directives)
	ours := slices.Index(want, "kubernetes")
	want = slices.Replace(want, ours, ours+1, "k8s_gateway", "kubernetes", "clusterdns")
	if slices.Equal(Directives, want) {
		return
	}
	for i := range max(len(Directives), len(want)) {
		if at(Directives, i) != at(want, i) {
			t.Fatalf("directive %d is %q, CoreDNS's order with ours has %q", i, at(Directives, i), at(want, i))
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
