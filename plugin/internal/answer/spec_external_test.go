package answer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const specExternal = `
	namespace default
	namespace other
	external default/foo www.example.com. https/tcp/443
	external default/near web.other.svc.cluster.local.
	external default/nearer near.default.svc.Cluster.LOCAL.
	external default/away nearer2.default.svc.cluster.local.
	external default/nearer2 www.example.com.
	external default/dangling absent.default.svc.cluster.local.
	external default/self self.default.svc.cluster.local.
	external default/ping pong.default.svc.cluster.local.
	external default/pong ping.default.svc.cluster.local.
	external default/reverse 1.0.3.10.in-addr.arpa.
	external default/second web.other.svc.second.example.
	external default/literal -
	external default/escaped a\@b.example.com.
	slice default/foo a https/tcp/443 10.3.0.9
	clusterip other/web 10.3.0.1 https/tcp/443
`

func externalView(t clustertest.T) *resolve.View {
	t.Helper()
	return viewOf(t, "cluster.local.", "in-addr.arpa.", "second.example.")
}

func TestSpec_2_5_ExternalName(t *testing.T) {
	run(t, externalView(t), clustertest.Snapshot(t, specExternal), []row{
		{"out of zone, A", "foo.default.svc.cluster.local. A", `
			FollowTarget www.example.com.
			@ CNAME www.example.com.`},
		{"out of zone, AAAA", "Foo.Default.svc.cluster.local. AAAA", `
			FollowTarget www.example.com.
			@ CNAME www.example.com.`},
		// An alias stands for every type but its own (RFC 1034 3.6.2).
		{"TXT", "foo.default.svc.cluster.local. TXT", `
			FollowTarget www.example.com.
			@ CNAME www.example.com.`},
		{"HTTPS", "foo.default.svc.cluster.local. HTTPS", `
			FollowTarget www.example.com.
			@ CNAME www.example.com.`},
		{"CNAME", "foo.default.svc.cluster.local. CNAME", `
			Success
			@ CNAME www.example.com.`},
		{"ANY", "foo.default.svc.cluster.local. ANY", `
			Success
			@ CNAME www.example.com.`},
		{"target with an escape", "escaped.default.svc.cluster.local. CNAME", `
			Success
			@ CNAME a\@b.example.com.`},
		{"endpoint below", "10-3-0-9.foo.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"protocol below", "_tcp.foo.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"port below", "_https._tcp.foo.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"address of its slices", "9.0.3.10.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		// What is no name has no record, and so does not exist.
		{"IP literal, A", "literal.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"IP literal, CNAME", "literal.default.svc.cluster.local. CNAME", "NXDomain cluster.local."},
	})
}

func TestSpec_2_5_ExternalNameWithinZone(t *testing.T) {
	run(t, externalView(t), clustertest.Snapshot(t, specExternal), []row{
		{"one step", "near.default.svc.cluster.local. A", `
			Success
			@ CNAME web.other.svc.cluster.local.
			web.other.svc.cluster.local. 5 IN A 10.3.0.1`},
		{"two steps, each in its own spelling", "Nearer.default.svc.cluster.local. A", `
			Success
			@ CNAME near.default.svc.Cluster.LOCAL.
			near.default.svc.Cluster.LOCAL. 5 IN CNAME web.other.svc.cluster.local.
			web.other.svc.cluster.local. 5 IN A 10.3.0.1`},
		{"other family", "near.default.svc.cluster.local. AAAA", `
			NoData cluster.local.
			@ CNAME web.other.svc.cluster.local.`},
		{"SRV", "near.default.svc.cluster.local. SRV", `
			Success
			@ CNAME web.other.svc.cluster.local.
			web.other.svc.cluster.local. 5 IN SRV 0 100 443 web.other.svc.cluster.local.
			+ web.other.svc.cluster.local. 5 IN A 10.3.0.1`},
		{"CNAME is not followed", "nearer.default.svc.cluster.local. CNAME", `
			Success
			@ CNAME near.default.svc.Cluster.LOCAL.`},
		{"out in the end", "away.default.svc.cluster.local. A", `
			FollowTarget www.example.com.
			@ CNAME nearer2.default.svc.cluster.local.
			nearer2.default.svc.cluster.local. 5 IN CNAME www.example.com.`},
		{"into another origin", "second.default.svc.cluster.local. A", `
			Success
			@ CNAME web.other.svc.second.example.
			web.other.svc.second.example. 5 IN A 10.3.0.1`},
		{"into a reverse zone", "reverse.default.svc.cluster.local. A", `
			FollowTarget 1.0.3.10.in-addr.arpa.
			@ CNAME 1.0.3.10.in-addr.arpa.`},
		// The last name decides the result, and what led to it is kept (RFC 6604).
		{"dangling", "dangling.default.svc.cluster.local. A", `
			NXDomain cluster.local.
			@ CNAME absent.default.svc.cluster.local.`},
		{"dangling, CNAME", "dangling.default.svc.cluster.local. CNAME", `
			Success
			@ CNAME absent.default.svc.cluster.local.`},
		{"to itself", "SELF.default.svc.cluster.local. A", `
			Success
			@ CNAME self.default.svc.cluster.local.`},
		{"circle", "ping.default.svc.cluster.local. A", `
			Success
			@ CNAME pong.default.svc.cluster.local.
			pong.default.svc.cluster.local. 5 IN CNAME ping.default.svc.cluster.local.`},
	})
}

// A chain is followed, but not without end.
func TestSpec_2_5_ExternalNameChainTooLong(t *testing.T) {
	var cluster strings.Builder
	cluster.WriteString("namespace default\nclusterip default/c0 10.3.0.1\n")
	for i := range 40 {
		fmt.Fprintf(&cluster, "external default/c%d c%d.default.svc.cluster.local.\n", i+1, i)
	}
	s, v := clustertest.Snapshot(t, cluster.String()), clusterView(t)
	for _, tc := range []struct{ first, records, last int }{{1, 2, 1}, {32, 33, 1}, {33, 33, 5}, {40, 33, 5}} {
		a := ask(t, v, s, fmt.Sprintf("c%d.default.svc.cluster.local. A", tc.first))
		last := int(a.Records[len(a.Records)-1].Header().Rrtype)
		if a.Result != resolve.Success || len(a.Records) != tc.records || last != tc.last {
			t.Errorf("chain of %d aliases:\n%s", tc.first, render(a))
		}
	}
}
