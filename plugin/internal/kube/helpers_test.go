package kube

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

// The query types of the tests.
const (
	typeA     = 1
	typeCNAME = 5
	typePTR   = 12
	typeAAAA  = 28
	typeSRV   = 33
)

// The results of ask without records.
var (
	noData   = fmt.Sprintf("[%d]", resolve.NoData)
	nxDomain = fmt.Sprintf("[%d]", resolve.NXDomain)
)

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	await.True(t, 30*time.Second, what, condition)
}

// ask looks a name up and returns the sorted data of the records, or the result in brackets
// without records.
func ask(t *testing.T, s *cluster.Store, name string, qtype uint16) string {
	t.Helper()
	var view resolve.View
	for _, origin := range []string{"cluster.local.", "in-addr.arpa.", "ip6.arpa."} {
		o, err := resolve.ParseOrigin(origin)
		if err != nil {
			t.Fatal(err)
		}
		view.Origins = append(view.Origins, o)
	}
	view.Origins = append(view.Origins, clusterSet(t))
	view.Pods, view.PodNames = resolve.PodsVerified, true
	n, err := dnsname.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	a := answer.Lookup(&view, s.Load(), &n, qtype, answer.Limits{Size: math.MaxInt32})
	if len(a.Records) == 0 {
		return fmt.Sprintf("[%d]", a.Result)
	}
	var data []string
	for _, rr := range a.Records {
		fields := strings.Split(rr.String(), "\t")
		data = append(data, fields[len(fields)-1])
	}
	slices.Sort(data)
	return strings.Join(data, " ")
}

// clusterSet returns the origin of names from other clusters.
func clusterSet(t *testing.T) resolve.Origin {
	t.Helper()
	o, err := resolve.ParseOrigin("clusterset.local.")
	if err != nil {
		t.Fatal(err)
	}
	o.ClusterSet = true
	return o
}

// start runs a Watcher. It returns a function that stops the Watcher and checks that no
// goroutine remains. The end of the test stops it too.
func start(t *testing.T, w *Watcher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// awaitCheckpoint waits for the first checkpoint and returns it.
func awaitCheckpoint(t *testing.T, w *Watcher) *cluster.Snapshot {
	t.Helper()
	eventually(t, "the first checkpoint", func() bool { return w.Store().LoadCheckpoint().Synced() })
	return w.Store().LoadCheckpoint()
}

// compared makes cmp compare objects of the model by value.
var compared = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}),
	cmpopts.IgnoreUnexported(cluster.Slice{}, cluster.Resolver{}),
	cmp.AllowUnexported(cluster.Pod{}, cluster.Profile{}, cluster.Endpoints{}),
	cmpopts.EquateEmpty(),
}
