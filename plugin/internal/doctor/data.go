package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/scrape"
)

// oldAge is the age from which data is old. The API server gives a sign of life every minute.
const oldAge = 5 * time.Minute

// data checks that the replicas know the cluster as it is.
func data(_ context.Context, p *patient.Patient) Result {
	scrapes, err := ourScrapes(p, false)
	if err != nil {
		return unseen("the age of the data", err)
	}
	var all []Result
	oldest := time.Duration(0)
	for _, r := range inOrder(scrapes) {
		result, age := dataOf(r, scrapes[r])
		all, oldest = append(all, result...), max(oldest, age)
	}
	if len(all) > 0 {
		return worst(all...)
	}
	return green("in sync with the API server, which was last heard %v ago%s", oldest.Round(time.Second), unscraped(p, len(scrapes)))
}

// data says what is wrong with the data of one replica.
func dataOf(r *patient.Replica, s *scrape.Metrics) (all []Result, oldest time.Duration) {
	const log = "look at the Pod's log for what keeps it from the API server, and at the line rights"
	if !s.Has("coredns_clusterdns_synced") {
		return nil, 0 // manifests alone
	}
	restored := s.Sum("coredns_clusterdns_restored") > 0
	switch {
	case restored:
		age := time.Duration(s.Sum("coredns_clusterdns_restored_age_seconds")) * time.Second
		all = append(all, red(log, "Pod %s has started from its file of state, which is %v old: the API server has not answered since", r.Name, age))
	case s.Sum("coredns_clusterdns_synced") == 0:
		all = append(all, red(log, "Pod %s does not know the cluster, and answers its names with SERVFAIL", r.Name))
	}
	for resource, last := range s.By("coredns_clusterdns_last_event_timestamp_seconds", "resource") {
		age := s.At.Sub(time.Unix(int64(last), 0))
		if oldest = max(oldest, age); age > oldAge && !restored && last > 0 {
			all = append(all, red(log, "Pod %s has heard nothing of %s for %v", r.Name, resource, age.Round(time.Second)))
		}
	}
	return all, oldest
}

// podsCheck checks that the Pods run.
func podsCheck(ctx context.Context, p *patient.Patient) Result {
	replicas, err := p.Replicas()
	if err != nil {
		return unseen("the Pods of DNS", err)
	}
	var all []Result
	restarts := int32(0)
	for _, r := range replicas {
		waits := ""
		for _, c := range r.Status.ContainerStatuses {
			restarts += c.RestartCount
			if c.State.Waiting != nil {
				waits = ": " + c.State.Waiting.Reason
			}
		}
		if !r.Ready() {
			all = append(all, red("kubectl -n "+r.Namespace+" describe pod "+r.Name, "Pod %s is not ready%s%s", r.Name, cmp.Or(waits, lastProbe(ctx, p, r)), lastWords(ctx, p, r)))
		}
	}
	if len(all) > 0 {
		return worst(all...)
	}
	return green("%s ready, %s", number(len(replicas), "Pod"), number(int(restarts), "restart"))
}

// lastProbe returns what kubelet has said last of a readiness probe of a Pod that failed, if that may be seen.
func lastProbe(ctx context.Context, p *patient.Patient, r *patient.Replica) (said string) {
	path := "/api/v1/namespaces/" + r.Namespace + "/events"
	all, _, err := api.List[corev1.Event](ctx, p.API, path, "fieldSelector", "reason=Unhealthy,involvedObject.name="+r.Name)
	if err != nil {
		return ""
	}
	slices.SortFunc(all, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	for i := range all {
		if strings.HasPrefix(all[i].Message, "Readiness probe") {
			said, _, _ = strings.Cut(": "+all[i].Message, "\n")
		}
	}
	return strings.TrimSpace(said)
}

// lastWords returns the last line that a container has logged before its last end.
func lastWords(ctx context.Context, p *patient.Patient, r *patient.Replica) string {
	if len(r.Status.ContainerStatuses) == 0 || r.Status.ContainerStatuses[0].RestartCount == 0 {
		return ""
	}
	path := fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/log", r.Namespace, r.Name)
	body, err := p.API.Raw(ctx, path, map[string][]string{"previous": {"true"}, "tailLines": {"1"}, "container": {r.Server().Name}})
	if err != nil || len(body) == 0 {
		return ""
	}
	return fmt.Sprintf(", and ended with %q", body)
}
