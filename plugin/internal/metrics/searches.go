package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// searchOutcome is the outcome of a completed search.
type searchOutcome uint8

// The outcomes.
const (
	searchSuccess searchOutcome = iota
	searchNoData                // the name exists without the type
	searchFailed                // SERVFAIL: an element could not be looked up

	searchOutcomes // number of outcomes
)

// The values of the labels. searchNone is both the outcome and the position of a search in
// which no element exists.
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

const (
	searchNone    = "none"
	searchGivenUp = "given_up" // with the position none
)

// searchCounter counts completed questions. It makes its counters in advance, so that
// counting takes no look-up.
type searchCounter struct {
	by    [searchOutcomes][searchpath.Positions]prometheus.Counter
	none  prometheus.Counter
	given prometheus.Counter // searches that were given up
	saved prometheus.Counter
}

var _ completion.Counter = (*searchCounter)(nil)

// Searches returns a counter for completed questions.
func (c *Collectors) Searches() completion.Counter { return newSearchCounter(c) }

func newSearchCounter(m *Collectors) *searchCounter {
	c := &searchCounter{
		none:  m.searched.WithLabelValues(searchNone, searchNone),
		given: m.searched.WithLabelValues(searchGivenUp, searchNone),
		saved: m.searchSaved,
	}
	for o := range searchOutcomes {
		for p := range searchpath.Positions {
			c.by[o][p] = m.searched.WithLabelValues(searchLabels[o], positionLabels[p])
		}
	}
	return c
}

// Found implements completion.Counter.
func (c *searchCounter) Found(p searchpath.Position, saved int) {
	c.by[searchSuccess][p].Inc()
	c.saved.Add(float64(saved))
}

// NoData implements completion.Counter.
func (c *searchCounter) NoData(p searchpath.Position) { c.by[searchNoData][p].Inc() }

// Failed implements completion.Counter.
func (c *searchCounter) Failed(p searchpath.Position) { c.by[searchFailed][p].Inc() }

// None implements completion.Counter.
func (c *searchCounter) None() { c.none.Inc() }

// GivenUp implements completion.Counter.
func (c *searchCounter) GivenUp() { c.given.Inc() }
