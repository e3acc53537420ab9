package clusterdns

import (
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// searchOutcome is what became of a searched name.
type searchOutcome uint8

// The outcomes.
const (
	searchSuccess searchOutcome = iota
	searchNoData                // the name was found, the type not
	searchFailed                // SERVFAIL: an element could not be looked up

	searchOutcomes // their number
)

// The values of the labels. None is the outcome of a search in which no element
// exists, and its position.
var (
	positionLabels = [searchpath.Positions]string{
		searchpath.Service: "svc",
		searchpath.Zone:    "zone",
		searchpath.Node:    "node",
		searchpath.Pod:     "pod",
		searchpath.AsIs:    "as_is",
	}
	searchLabels = [searchOutcomes]string{"success", "nodata", "servfail"}
)

const searchNone = "none"

// searchCounter counts completed questions. Its counters are made beforehand, so that
// counting takes no look-up.
type searchCounter struct {
	by    [searchOutcomes][searchpath.Positions]prometheus.Counter
	none  prometheus.Counter
	saved prometheus.Counter
}

func newSearchCounter(m *metricSet) *searchCounter {
	c := &searchCounter{none: m.searched.WithLabelValues(searchNone, searchNone), saved: m.searchSaved}
	for o := range searchOutcomes {
		for p := range searchpath.Positions {
			c.by[o][p] = m.searched.WithLabelValues(searchLabels[o], positionLabels[p])
		}
	}
	return c
}

// completed counts a question that was answered, and those of the same type that the
// client need not ask. A client that is told of a failure may go on.
func (c *searchCounter) completed(f *finding, p searchpath.Position, saved int) {
	outcome := searchSuccess
	switch {
	case f.rcode != dns.RcodeSuccess:
		outcome = searchFailed
	case len(f.records) == 0:
		outcome = searchNoData
	}
	c.by[outcome][p].Inc()
	if outcome == searchSuccess {
		c.saved.Add(float64(saved))
	}
}

// found counts a question that was completed to a name of the cluster.
func (c *searchCounter) found(r zone.Result, p searchpath.Position, saved int) {
	if r != zone.Success {
		c.by[searchNoData][p].Inc()
		return
	}
	c.by[searchSuccess][p].Inc()
	c.saved.Add(float64(saved))
}

// failed counts a question that the client is left to search for.
func (c *searchCounter) failed() { c.none.Inc() }
