package answer

import (
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"net/netip"
	"strings"
	"testing"
)

// D9: a Namespace that is not shown, or not known since no selector selects it, is
// hidden from reverse names and from transfers too, of either kind of zone.
func TestD9HiddenNamespaces(t *testing.T) {
	s := outerSnapshot(t, strings.NewReplacer("ONE", "hidden", "TWO", "unknown").Replace(`
		namespace default
		namespace ONE
		clusterip default/web 10.3.0.9
		clusterip ONE/web 10.3.0.1
		clusterip TWO/web 10.3.0.2
		headless ONE/db sql/tcp/1
		slice ONE/db a sql/tcp/1 10.0.0.1=db-0
		headless TWO/db sql/tcp/1
		slice TWO/db a sql/tcp/1 10.0.0.2=db-0
		external ONE/alias www.example.com.
		external TWO/alias www.example.com.
		outside ONE/site 192.0.2.1 - http/tcp/80
		outside TWO/site 192.0.2.2 - http/tcp/80
	`))
	outer := outerView(t, "example.org.", "in-addr.arpa.")
	inner := outer.Cluster
	inner.Namespaces = map[string]struct{}{"default": {}, "unknown": {}}
	outer.Headless = true
	for _, addr := range []string{"10.3.0.1", "10.3.0.2", "10.0.0.1", "10.0.0.2", "192.0.2.1", "192.0.2.2"} {
		question := reverseOf(netip.MustParseAddr(addr)) + " PTR"
		if a := ask(t, inner, s, question); a.Result != resolve.NXDomain {
			t.Errorf("%s: %s", question, render(a))
		}
		if a := askOuter(t, outer, s, question); a.Result != resolve.NXDomain {
			t.Errorf("%s outside: %s", question, render(a))
		}
	}
	outside := outerTransfer(outer, s, "example.org.")
	for _, name := range []string{"hidden", "unknown"} {
		if strings.Contains(outside, name) {
			t.Errorf("transferred of the Namespace %s:\n%s", name, outside)
		}
	}
}
