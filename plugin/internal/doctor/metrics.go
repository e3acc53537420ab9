package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/scrape"
)

// ours reports whether a process is a server of this build.
func ours(m *scrape.Metrics) bool { return m.Has("coredns_clusterdns_commits_total") }

// scrapes are the metrics of some replicas.
type scrapes map[*patient.Replica]*scrape.Metrics

// ourScrapes returns the metrics of the replicas that are servers of this build.
func ourScrapes(p *patient.Patient, second bool) (scrapes, error) {
	all, err := p.Scrapes(second)
	if err != nil {
		return nil, err
	}
	found := scrapes(maps.Clone(all))
	maps.DeleteFunc(found, func(_ *patient.Replica, m *scrape.Metrics) bool { return !ours(m) })
	for r := range all {
		if len(found) == 0 {
			return nil, api.Errorf("", "Pod %s runs %s, which has no metrics of ClusterDNS", r.Name, r.Server().Image)
		}
	}
	return found, nil
}

// inOrder returns replicas by name.
func inOrder(all scrapes) []*patient.Replica {
	return slices.SortedFunc(maps.Keys(all), func(a, b *patient.Replica) int { return strings.Compare(a.Name, b.Name) })
}

// unscraped says how many replicas have not been seen, for the end of a text.
func unscraped(p *patient.Patient, n int) string {
	replicas, err := p.Replicas()
	if err != nil || len(replicas) == n {
		return ""
	}
	return fmt.Sprintf(" (seen of %d of %d replicas)", n, len(replicas))
}
