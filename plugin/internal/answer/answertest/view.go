// Package answertest has what tests of answers share: views as Corefiles configure them,
// and answers as text. It must not import package answer, whose own tests use it.
package answertest

import (
	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// TTL is the TTL of the views.
const TTL = 5

// View returns a view with the given origins.
func View(t clustertest.T, origins ...string) *resolve.View {
	t.Helper()
	v := &resolve.View{TTL: TTL}
	for _, text := range origins {
		o, err := resolve.ParseOrigin(text)
		if err != nil {
			t.Fatal(err)
		}
		v.Origins = append(v.Origins, o)
	}
	return v
}

// ClusterView returns a view as most Corefiles configure it.
func ClusterView(t clustertest.T) *resolve.View {
	t.Helper()
	return View(t, "cluster.local.", "in-addr.arpa.", "ip6.arpa.")
}

// ClusterSetView returns a view of a cluster and of the cluster set that it belongs to.
func ClusterSetView(t clustertest.T) *resolve.View {
	t.Helper()
	v := View(t, "clusterset.local.", "cluster.local.", "in-addr.arpa.", "ip6.arpa.")
	v.Origins[0].ClusterSet = true
	return v
}

// DrawView returns a random view of the clusters that clustertest draws.
func DrawView(t *rapid.T) *resolve.View {
	v := View(t, "clusterset.local.", "cluster.local.", "in-addr.arpa.", "ip6.arpa.", "second.example.")
	v.Origins[0].ClusterSet = true
	v.Pods = clustertest.One(t, "pods", []resolve.PodMode{resolve.PodsDisabled, resolve.PodsVerified})
	v.PodNames = rapid.Bool().Draw(t, "pod names")
	v.IgnoreEmpty, v.Zonal = rapid.Bool().Draw(t, "ignore empty"), rapid.Bool().Draw(t, "zonal")
	v.Local = clustertest.Some(t, "local", clustertest.PoolAddrs, 2)
	if rapid.Bool().Draw(t, "filter") {
		v.Namespaces = map[string]struct{}{"a": {}, "absent": {}}
	}
	return v
}
