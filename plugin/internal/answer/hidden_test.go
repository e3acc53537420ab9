package answer

import (
	"net/netip"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// D9: a Namespace that is not shown, or unknown because no selector selects it, is hidden
// from reverse names too.
func TestD9HiddenNamespaces(t *testing.T) {
	s := clustertest.Snapshot(t, `
		namespace default
		namespace hidden
		clusterip default/web 10.3.0.9
		clusterip hidden/web 10.3.0.1
		clusterip unknown/web 10.3.0.2
		headless hidden/db sql/tcp/1
		slice hidden/db a sql/tcp/1 10.0.0.1=db-0
		headless unknown/db sql/tcp/1
		slice unknown/db a sql/tcp/1 10.0.0.2=db-0
		outside hidden/site 192.0.2.1 - http/tcp/80
		outside unknown/site 192.0.2.2 - http/tcp/80
	`)
	v := clusterView(t)
	v.Namespaces = map[string]struct{}{"default": {}, "unknown": {}}
	for _, addr := range []string{"10.3.0.1", "10.3.0.2", "10.0.0.1", "10.0.0.2", "192.0.2.1", "192.0.2.2"} {
		question := reverseOf(netip.MustParseAddr(addr)) + " PTR"
		if a := ask(t, v, s, question); a.Result != resolve.NXDomain {
			t.Errorf("%s: %s", question, render(a))
		}
	}
}
