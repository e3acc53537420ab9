package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// The kind of a name that exists is its own; that of a missing name is what is missing.
func TestNameKinds(t *testing.T) {
	s := clustertest.Snapshot(t, `
		namespace a
		clusterip a/web 10.3.0.1 http/tcp/80
		slice a/web one http/tcp/80 10.0.0.1
		headless a/db sql/tcp/5432
		slice a/db one sql/tcp/5432 10.0.0.2=db-0#eu-1
		headless a/none
		external a/out www.example.com.
		external a/in web.a.svc.cluster.local.
		imported-headless a/far sql/tcp/5432
		imported-slice east a/far one sql/tcp/5432 10.5.0.1=db-0
		pod a web 10.0.0.1
	`)
	v := clusterSetView(t)
	v.Pods, v.Zonal = resolve.PodsVerified, true
	for _, tc := range []struct {
		kind                  resolve.NameKind
		existing, notExisting string
	}{
		{resolve.KindZone, "cluster.local. dns.cluster.local. ns.dns.cluster.local. dns-version.cluster.local. svc.cluster.local. pod.cluster.local.",
			"www.example.com.cluster.local. www.dns.cluster.local. x.dns-version.cluster.local."},
		{resolve.KindNamespace, "a.svc.cluster.local. a.pod.cluster.local. a.svc.clusterset.local.",
			"b.svc.cluster.local. www.example.com.svc.cluster.local. 10-0-0-1.b.pod.cluster.local."},
		{resolve.KindService, "web.a.svc.cluster.local. WEB.A.SVC.CLUSTER.LOCAL.", "x.a.svc.cluster.local. www.example.com.a.svc.cluster.local. web.a.svc.clusterset.local."},
		{resolve.KindHeadless, "db.a.svc.cluster.local. far.a.svc.clusterset.local.", "none.a.svc.cluster.local."},
		{resolve.KindExternalName, "out.a.svc.cluster.local. in.a.svc.cluster.local.", ""},
		{resolve.KindEndpoint, "db-0.db.a.svc.cluster.local. 10-0-0-1.web.a.svc.cluster.local. _tcp.web.a.svc.cluster.local. eu-1.pin._zone.db.a.svc.cluster.local. db-0.east.far.a.svc.clusterset.local.",
			"x.db.a.svc.cluster.local. x.out.a.svc.cluster.local. db-0.west.far.a.svc.clusterset.local. a.b.c.web.a.svc.cluster.local."},
		{resolve.KindPort, "_http._tcp.web.a.svc.cluster.local. _sql._tcp.db.a.svc.cluster.local. _sql._tcp.far.a.svc.clusterset.local.", "_x._tcp.web.a.svc.cluster.local."},
		{resolve.KindPod, "10-0-0-1.a.pod.cluster.local.", "10-0-0-9.a.pod.cluster.local. x.a.pod.cluster.local."},
		{resolve.KindReverse, "1.0.0.10.in-addr.arpa. 0.0.10.in-addr.arpa.", "9.0.0.10.in-addr.arpa. x.in-addr.arpa."},
	} {
		checkKind(t, v, s, tc.kind, tc.existing, func(r resolve.Result) bool { return r != resolve.NXDomain })
		checkKind(t, v, s, tc.kind, tc.notExisting, func(r resolve.Result) bool { return r == resolve.NXDomain })
	}
}

func checkKind(t *testing.T, v *resolve.View, s *cluster.Snapshot, want resolve.NameKind, names string, right func(resolve.Result) bool) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		if a := askType(t, v, s, name, dns.TypeA); a.Kind != want || !right(a.Result) {
			t.Errorf("%s: kind %d, %s, want kind %d", name, a.Kind, resultText[a.Result], want)
		}
	}
}

func TestNameKindWithoutLookup(t *testing.T) {
	v := clusterView(t)
	for _, question := range []string{"www.example.com. A", "web.a.svc.cluster.local. A"} {
		if a := ask(t, v, new(cluster.Snapshot), question); a.Kind != resolve.KindUnknown {
			t.Errorf("%s: kind %d", question, a.Kind)
		}
	}
}
