package publish

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// A crowd is many hostnames of many routes, at some Gateways with a Service each.
const (
	crowdRoutes   = 2000
	crowdNames    = 5000
	crowdGateways = 20
)

// crowdRoute returns the i-th route of a crowd, which has two or three hostnames.
func crowdRoute(i int, first string) string {
	hosts := []string{fmt.Sprintf("%s-%d.team-%d.example.org", first, i, i%40), fmt.Sprintf("www-%d.team-%d.example.org", i, i%40)}
	if i%2 == 0 {
		hosts = append(hosts, fmt.Sprintf("api-%d.example.org", i))
	}
	return routeText(fmt.Sprintf("route-%d", i), strings.Join(hosts, ", "), fmt.Sprintf("{name: front-%d, namespace: infra}", i%crowdGateways))
}

func crowdGateway(i int, network string) string {
	return gatewayText(fmt.Sprintf("front-%d", i), fmt.Sprintf("%s.%d", network, i), open)
}

// newCrowd returns a world with a crowd, outside or inside.
func newCrowd(t testing.TB, inside bool) *world {
	w := newWorld(t, func(s *Settings) { s.Inside = inside })
	for i := range crowdGateways {
		w.apply(crowdGateway(i, "192.0.2"))
		w.apply(labelledText(fmt.Sprintf("front-%d", i), fmt.Sprintf("10.96.0.%d", i), fmt.Sprintf("front-%d", i)))
	}
	for i := range crowdRoutes {
		w.apply(crowdRoute(i, "shop"))
	}
	if n := len(w.store.Load().PublishedNames()); n != crowdNames {
		t.Fatalf("%d names", n)
	}
	return w
}

// tables returns the objects of a world as package kube keeps them, in the place of the world's own.
func (w *world) tables() map[string]map[cluster.Key]*Object {
	all := map[string]map[cluster.Key]*Object{}
	for id, o := range w.objects {
		if all[id.Kind] == nil {
			all[id.Kind] = map[cluster.Key]*Object{}
		}
		all[id.Kind][id.Key] = o
	}
	w.objects = nil
	return all
}

// What is kept of 2,000 routes with 5,000 hostnames, and of their names, takes no more than 4 MB of live heap.
func TestMemoryOfACrowd(t *testing.T) {
	for _, inside := range []bool{false, true} {
		before := clustertest.Heap()
		w := newCrowd(t, inside)
		tables := w.tables()
		live := clustertest.Heap() - before
		if t.Logf("inside %v: %d bytes", inside, live); live > 4e6 {
			t.Errorf("inside %v: %d bytes", inside, live)
		}
		w.want("shop-7.team-7.example.org.", map[bool]string{false: "192.0.2.7", true: "10.96.0.7"}[inside])
		runtime.KeepAlive(tables)
	}
}

// BenchmarkCrowd makes a crowd and reports the live heap.
func BenchmarkCrowd(b *testing.B) {
	for _, inside := range []bool{false, true} {
		b.Run(fmt.Sprint("Inside=", inside), func(b *testing.B) {
			var w *world
			var tables map[string]map[cluster.Key]*Object
			before := clustertest.Heap()
			for b.Loop() {
				w = newCrowd(b, inside)
				tables = w.tables()
			}
			b.ReportMetric(float64(clustertest.Heap()-before)/1e6, "MB")
			w.want("shop-7.team-7.example.org.", map[bool]string{false: "192.0.2.7", true: "10.96.0.7"}[inside])
			runtime.KeepAlive(tables)
		})
	}
}

// BenchmarkChange changes one object beside a crowd, from the API's object to a snapshot in which look-ups
// find the other name, and reports the CPU time.
func BenchmarkChange(b *testing.B) {
	moved := func(change int) (first, host string) {
		first = []string{"shop", "moved"}[change%2]
		return first, first + "-7.team-7.example.org."
	}
	for _, bc := range []struct {
		name   string
		inside bool
		of     func(change int) (document, host, has string)
	}{
		{"Route/Inside=false", false, func(change int) (document, host, has string) {
			first, host := moved(change)
			return crowdRoute(7, first), host, "192.0.2.7"
		}},
		{"Route/Inside=true", true, func(change int) (document, host, has string) {
			first, host := moved(change)
			return crowdRoute(7, first), host, "10.96.0.7"
		}},
		{"Gateway", false, func(change int) (document, host, has string) {
			network := []string{"192.0.2", "198.51.100"}[change%2]
			return crowdGateway(7, network), "shop-7.team-7.example.org.", network + ".7"
		}},
		{"Service", true, func(change int) (document, host, has string) {
			has = fmt.Sprintf("10.96.%d.7", change%2)
			return labelledText("front-7", has, "front-7"), "shop-7.team-7.example.org.", has
		}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			w, change := newCrowd(b, bc.inside), 0
			var all [2]func()
			for i := range all {
				document, host, has := bc.of(i)
				all[i] = func() {
					w.apply(document)
					if got := w.published(host); got != has {
						b.Fatalf("%s: %s", host, got)
					}
				}
			}
			before := process.OwnCPU(b)
			for b.Loop() {
				change++
				all[change%2]()
			}
			b.ReportMetric(float64((process.OwnCPU(b)-before).Microseconds())/float64(b.N)/1000, "cpu-ms/op")
		})
	}
}
