package answer

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// D16: who may write an EndpointSlice names any address in the reverse zones, since
// every ready endpoint has a PTR record (specification 2.4.3), that of a host outside
// the cluster too. But a ClusterIP is its Service's alone, and reverse zones no
// larger than the cluster leave the addresses of others to others.
func TestD16AddressesOfOthers(t *testing.T) {
	s := clustertest.Snapshot(t, `
		namespace default
		namespace tenant
		clusterip default/web 10.3.0.1 http/tcp/80
		headless tenant/db sql/tcp/1
		slice tenant/db a sql/tcp/1 192.0.2.1=host 10.3.0.1=web 10.0.0.1=db-0
	`)
	run(t, clusterView(t), s, []row{
		{"host outside", "1.2.0.192.in-addr.arpa. PTR", `
			Success
			@ PTR host.db.tenant.svc.cluster.local.`},
		{"ClusterIP", "1.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR web.default.svc.cluster.local.`},
	})
	run(t, viewOf(t, "cluster.local.", "10.in-addr.arpa."), s, []row{
		{"host outside the zones", "1.2.0.192.in-addr.arpa. PTR", "OutOfZone"},
		{"endpoint", "1.0.0.10.in-addr.arpa. PTR", `
			Success
			@ PTR db-0.db.tenant.svc.cluster.local.`},
	})
}
