package answer

import (
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const ignoreCluster = `
	namespace default
	namespace hidden
	clusterip default/none 10.3.0.1 http/tcp/80
	clusterip default/unready 10.3.0.2 http/tcp/80
	slice default/unready a http/tcp/8080
	clusterip default/web 10.3.0.3,2001:db8::3 http/tcp/80
	slice default/web a http/tcp/8080
	slice default/web b http/tcp/8080 10.0.0.3=web-0
	clusterip default/portless 10.3.0.4
	slice default/portless a 10.0.0.4
	clusterip default/other-family 2001:db8::5 http/tcp/80
	slice default/other-family a http/tcp/8080 10.0.0.5
	headless default/db sql/tcp/5432
	slice default/db a sql/tcp/5432 10.0.0.6
	headless default/empty sql/tcp/5432
	external default/alias www.example.com.
	external default/dangling none.default.svc.cluster.local.
	slice default/orphan a http/tcp/80 10.0.0.7
	clusterip hidden/web 10.3.0.8 http/tcp/80
	slice hidden/web a http/tcp/8080 10.0.0.8
	imported-clusterip default/none 10.4.0.1 http/tcp/80
	imported-slice east default/none a http/tcp/8080 10.5.0.1
	imported-clusterip default/web 10.4.0.3 http/tcp/80
	imported-headless default/db sql/tcp/5432
`

// ignoreView returns a view in which Services without endpoints do not exist.
func ignoreView(t clustertest.T) *resolve.View {
	t.Helper()
	v := clusterSetView(t)
	v.IgnoreEmpty = true
	v.Namespaces = map[string]struct{}{"default": {}}
	return v
}

// With IgnoreEmpty, a ClusterIP Service without ready endpoints does not exist, nor does
// anything below it. Any endpoint counts, whatever its family or ports.
func TestIgnoreEmpty(t *testing.T) {
	s := clustertest.Snapshot(t, ignoreCluster)
	hidden := map[string]bool{"none": true, "unready": true}
	for _, below := range []string{"", "_tcp.", "tcp.", "_http._tcp.", "http.tcp.", "10-3-0-1.", "x._http._tcp."} {
		for service := range hidden {
			checkExistence(t, ignoreView(t), s, map[string]bool{below + service + ".default.svc.cluster.local.": false})
		}
	}
	const svc = ".default.svc.cluster.local."
	names := map[string]bool{
		"default.svc.cluster.local.": true, "web" + svc: true, "_tcp.web" + svc: true, "_http._tcp.web" + svc: true,
		"web-0.web" + svc: true, "portless" + svc: true, "10-0-0-4.portless" + svc: true, "other-family" + svc: true,
		"db" + svc: true, "10-0-0-6.db" + svc: true, "_sql._tcp.db" + svc: true, "alias" + svc: true, "dangling" + svc: true,
		"empty" + svc: false, "orphan" + svc: false, "absent" + svc: false,
		"web.hidden.svc.cluster.local.": false, "hidden.svc.cluster.local.": false,
	}
	checkExistence(t, ignoreView(t), s, names)
	for service := range hidden {
		names[service+svc], names["_http._tcp."+service+svc] = true, true
	}
	v := ignoreView(t)
	v.IgnoreEmpty = false
	checkExistence(t, v, s, names)
}

func TestIgnoreEmptyAnswers(t *testing.T) {
	run(t, ignoreView(t), clustertest.Snapshot(t, ignoreCluster), []row{
		{"no endpoint", "none.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"no endpoint, its port", "_http._tcp.none.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"one endpoint", "web.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA 2001:db8::3`},
		{"endpoint of the other family", "other-family.default.svc.cluster.local. A", "NoData cluster.local."},
		{"no slice of a headless service", "empty.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"alias", "alias.default.svc.cluster.local. A", `
			FollowTarget www.example.com.
			@ CNAME www.example.com.`},
		{"alias of an empty service", "dangling.default.svc.cluster.local. A", `
			NXDomain cluster.local.
			@ CNAME none.default.svc.cluster.local.`},
		// As in stock CoreDNS, an address keeps its name.
		{"pointer to an empty service", "1.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR none.default.svc.cluster.local.`},
	})
}

// An import has endpoints of its own. Those of the local Service do not count for it, nor
// the other way round.
func TestIgnoreEmptyImports(t *testing.T) {
	checkExistence(t, ignoreView(t), clustertest.Snapshot(t, ignoreCluster), map[string]bool{
		"none.default.svc.clusterset.local.": true, "_http._tcp.none.default.svc.clusterset.local.": true,
		"web.default.svc.clusterset.local.": false, "_http._tcp.web.default.svc.clusterset.local.": false,
		"db.default.svc.clusterset.local.": false, "none.default.svc.cluster.local.": false, "web.default.svc.cluster.local.": true,
	})
}

// A Service appears and disappears with its endpoints.
func TestIgnoreEmptyComesBack(t *testing.T) {
	const address, port = "web.default.svc.cluster.local. A", "_http._tcp.web.default.svc.cluster.local. SRV"
	none := clustertest.SliceOf(t, strings.Fields("default/web a http/tcp/8080"))
	one := clustertest.SliceOf(t, strings.Fields("default/web a http/tcp/8080 10.0.0.1"))
	other := clustertest.SliceOf(t, strings.Fields("default/web b http/tcp/8080 2001:db8::1"))
	store, v := cluster.NewStore(), clusterView(t)
	v.IgnoreEmpty = true
	clustertest.Commit(store, func(txn *cluster.Txn) {
		txn.SetSynced()
		clustertest.Load(t, txn, "namespace default\nclusterip default/web 10.3.0.1 http/tcp/80")
	})
	for _, step := range []struct {
		name     string
		old, now *cluster.Slice
		want     resolve.Result
	}{
		{"slice without endpoints", nil, none, resolve.NXDomain},
		{"endpoint", none, one, resolve.Success},
		{"slice of the other family", nil, other, resolve.Success},
		{"the first is drained", one, none, resolve.Success},
		{"the other goes", other, nil, resolve.NXDomain},
		{"endpoint again", none, one, resolve.Success},
		{"slice goes", one, nil, resolve.NXDomain},
	} {
		clustertest.Commit(store, func(txn *cluster.Txn) { txn.ReplaceSlice(step.old, step.now) })
		for _, question := range []string{address, port} {
			if got := ask(t, v, store.Load(), question); got.Result != step.want {
				t.Errorf("%s: %s", step.name, render(got))
			}
		}
	}
}
