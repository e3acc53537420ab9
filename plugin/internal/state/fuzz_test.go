package state

import (
	"crypto/sha256"
	"math"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// FuzzRead reads files whose sum a forger has made right. None may make the reader or a look-up
// panic, and what is read is written and read again as it is.
func FuzzRead(f *testing.F) {
	whole := encode(header, snapshotOf(f))
	f.Add(whole[len(first)+sha256.Size:])
	f.Add(encode(header, clustertest.Snapshot(f, "namespace shop"))[len(first)+sha256.Size:])
	f.Add(encode(header, clustertest.RefStore(20, true, true).Load())[len(first)+sha256.Size:])
	f.Fuzz(func(t *testing.T, body []byte) {
		data := resum(append(append([]byte(first), make([]byte, sha256.Size)...), body...))
		file, err := decode(data)
		if err != nil {
			return
		}
		s, err := file.Snapshot()
		if err != nil {
			return
		}
		if back, err := decode(encode(file.Header, s)); err != nil || back.Header != file.Header {
			t.Fatal(err)
		} else if again, err := back.Snapshot(); err != nil || again.Counts() != s.Counts() {
			t.Fatalf("%v: %+v, want %+v", err, again, s.Counts())
		}
		useAll(t, s)
	})
}

// useAll asks for all names of a snapshot, as records and in wire form.
func useAll(t *testing.T, s *cluster.Snapshot) {
	s.Size()
	s.HeadlessWithoutSlices()
	s.PublishedNames()
	for pod := range s.Pods() {
		for a := range pod.Addrs() {
			s.Client(a)
		}
	}
	view := answertest.ClusterSetView(t)
	view.Pods, view.PodNames, view.Zonal = resolve.PodsVerified, true, true
	zones, buf := xfr.ClusterZones{View: view}, make([]byte, 0, math.MaxUint16)
	for _, o := range view.Origins {
		zones.Walk(s, o, xfr.Part{}, func(rr dns.RR) bool {
			var q answer.Question
			if name, err := q.ParseText(rr.Header().Name); err == nil {
				q.Type = rr.Header().Rrtype
				limits := answer.Limits{Size: math.MaxUint16}
				answer.Lookup(view, s, name, q.Type, limits)
				answer.AppendWire(buf, view, s, &q, limits, new(answer.Encoded))
			}
			return true
		})
	}
}
