package external

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

func TestHostnames(t *testing.T) {
	run(t, viewOf(t, "example.org."), clustertest.Snapshot(t, outsideServices), []row{
		{"A", "lb.default.example.org. A", `
			FollowTarget lb.example.net.
			@ CNAME lb.example.net.`},
		{"another type", "lb.default.example.org. HTTPS", `
			FollowTarget lb.example.net.
			@ CNAME lb.example.net.`},
		{"CNAME", "lb.default.example.org. CNAME", `
			Success
			@ CNAME lb.example.net.`},
		{"any type", "lb.default.example.org. ANY", `
			Success
			@ CNAME lb.example.net.`},
		{"port, A", "_http._tcp.lb.default.example.org. A", `
			FollowTarget lb.example.net.
			@ CNAME lb.example.net.`},
		{"SRV", "lb.default.example.org. SRV", `
			Success
			@ SRV 0 100 80 lb.example.net.`},
		{"port, SRV", "_http._tcp.lb.default.example.org. SRV", `
			Success
			@ SRV 0 100 80 lb.example.net.`},
		// RFC 2181 10.1: a name has one CNAME, and nothing beside it.
		{"two hostnames, A", "two.default.example.org. A", `
			FollowTarget lb.example.net.
			@ CNAME lb.example.net.`},
		{"two hostnames, SRV", "two.default.example.org. SRV", `
			Success
			@ SRV 0 50 80 lb.example.net.
			@ SRV 0 50 80 lb2.example.net.`},
		{"hostname and address, A", "mixed.default.example.org. A", `
			Success
			@ A 192.0.2.4`},
		{"hostname and address, AAAA", "mixed.default.example.org. AAAA", "NoData example.org."},
		{"hostname and address, SRV", "mixed.default.example.org. SRV", `
			Success
			@ SRV 0 50 80 mixed.default.example.org.
			@ SRV 0 50 80 lb.example.net.
			+ @ A 192.0.2.4`},
	})
}

// A hostname may be in one of the zones itself: some controllers use the name that they
// will publish. The last name decides the result (RFC 6604).
func TestHostnamesWithinZone(t *testing.T) {
	run(t, viewOf(t, "example.org.", "2.0.192.in-addr.arpa."), clustertest.Snapshot(t, `
		namespace default
		outside default/self - self.default.Example.org. http/tcp/80
		outside default/ping - pong.default.example.org. http/tcp/80
		outside default/pong - ping.default.example.org. http/tcp/80
		outside default/near - web.default.example.org. http/tcp/80
		outside default/gone - nobody.default.example.org. http/tcp/80
		outside default/back - 1.2.0.192.in-addr.arpa. http/tcp/80
		outside default/web 192.0.2.1 - http/tcp/80
	`), []row{
		{"itself", "self.default.example.org. A", `
			Success
			@ CNAME self.default.Example.org.`},
		{"circle", "ping.default.example.org. A", `
			Success
			@ CNAME pong.default.example.org.
			pong.default.example.org. 5 IN CNAME ping.default.example.org.`},
		{"address", "near.default.example.org. A", `
			Success
			@ CNAME web.default.example.org.
			web.default.example.org. 5 IN A 192.0.2.1`},
		{"no data", "near.default.example.org. AAAA", `
			NoData example.org.
			@ CNAME web.default.example.org.`},
		{"no such name", "gone.default.example.org. A", `
			NXDomain example.org.
			@ CNAME nobody.default.example.org.`},
		{"reverse name, which may be another's", "back.default.example.org. A", `
			FollowTarget 1.2.0.192.in-addr.arpa.
			@ CNAME 1.2.0.192.in-addr.arpa.`},
	})
}

func TestHeadless(t *testing.T) {
	v := viewOf(t, "example.org.")
	v.headless = true
	run(t, v, clustertest.Snapshot(t, outsideServices), []row{
		{"addresses", "db.default.example.org. A", `
			Success
			@ A 10.0.0.3
			@ A 10.0.0.4`},
		{"SRV", "_http._tcp.db.default.example.org. SRV", `
			Success
			@ SRV 0 33 8080 db-0.db.default.example.org.
			@ SRV 0 33 8080 10-0-0-4.db.default.example.org.
			@ SRV 0 33 8080 2001-db8--4.db.default.example.org.
			+ db-0.db.default.example.org. 5 IN A 10.0.0.3
			+ 10-0-0-4.db.default.example.org. 5 IN A 10.0.0.4
			+ 2001-db8--4.db.default.example.org. 5 IN AAAA 2001:db8::4`},
		{"protocol", "_tcp.db.default.example.org. A", "NoData example.org."},
		{"endpoint", "db-0.db.default.example.org. A", `
			Success
			@ A 10.0.0.3`},
		{"endpoint, SRV", "db-0.db.default.example.org. SRV", `
			Success
			@ SRV 0 100 8080 db-0.db.default.example.org.
			+ @ A 10.0.0.3`},
		{"no such endpoint", "db-9.db.default.example.org. A", "NXDomain example.org."},
		{"no endpoints", "none.default.example.org. A", "NXDomain example.org."},
		{"endpoint of a ClusterIP", "one.inner.default.example.org. A", `
			Success
			@ A 10.0.0.1`},
		// RFC 8020: there are names below.
		{"ClusterIP", "inner.default.example.org. A", "NoData example.org."},
		{"external addresses come first", "pets.default.example.org. A", `
			Success
			@ A 192.0.2.5`},
	})
}
