package doctor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/scrape"
)

// From how many questions on shares mean something, and from which share or rate on something is too much.
const (
	enoughQuestions = 1000
	muchAAAA        = 0.4
	muchWaste       = 0.3
	flood           = 500 // denials a second
	manyDrops       = 1   // a second
)

// questionsCheck says what of the questions could be spared.
func questionsCheck(_ context.Context, p *patient.Patient) Result {
	scrapes, err := ourScrapes(p, false)
	if err != nil {
		return unseen("the questions", err)
	}
	var all, aaaa, waste float64
	for _, s := range scrapes {
		all += s.Sum("coredns_dns_requests_total")
		aaaa += s.Sum("coredns_dns_requests_total", "type=AAAA")
		waste += s.Sum("coredns_clusterdns_answers_total", "kind=zone", "outcome=nxdomain")
	}
	if all < enoughQuestions {
		return green("%.0f questions so far: too few to judge%s", all, unscraped(p, len(scrapes)))
	}
	text := fmt.Sprintf("%s of %.0f questions are for AAAA, %s for names that only a search path makes%s", percent(aaaa/all), all, percent(waste/all), unscraped(p, len(scrapes)))
	var found []Result
	noIPv6 := "; the cluster has no IPv6"
	if !onlyIPv4(p) {
		noIPv6 = ""
	}
	if aaaa/all >= muchAAAA && noIPv6 != "" && !has(p, "no_aaaa") {
		found = append(found, yellow("no_aaaa in kubernetes, or CLUSTERDNS_NO_AAAA: doc/no-aaaa.md", "%s%s", text, noIPv6))
	}
	if waste/all >= muchWaste && !has(p, "search") {
		found = append(found, yellow("search in kubernetes, or CLUSTERDNS_SEARCH: doc/search-path.md", "%s%s", text, noIPv6))
	}
	return worst(append(found, green("%s", text))...)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", math.Round(share*100)) }

// onlyIPv4 reports whether neither the Service nor a replica has an IPv6 address.
func onlyIPv4(p *patient.Patient) bool {
	s, err := p.Service()
	if err != nil {
		return false
	}
	replicas, err := p.Replicas()
	return err == nil && !slices.Contains(s.Spec.IPFamilies, corev1.IPv6Protocol) &&
		!slices.ContainsFunc(replicas, func(r *patient.Replica) bool { return strings.Contains(fmt.Sprint(r.Status.PodIPs), ":") })
}

// has reports whether the Corefile has a property of the cluster's plugin, or the environment in its place.
func has(p *patient.Patient, property string) bool {
	corefiles, err := p.Corefiles()
	if err == nil && slices.ContainsFunc(corefiles, func(c *patient.Corefile) bool { return len(c.Outline.Lines("kubernetes", property)) > 0 }) {
		return true
	}
	replicas, err := p.Replicas()
	return err == nil && slices.ContainsFunc(replicas[0].Server().Env, func(v corev1.EnvVar) bool {
		return v.Name == "CLUSTERDNS_"+strings.ToUpper(property)
	})
}

// denials says whether clients flood the server with names that do not exist.
func denials(_ context.Context, p *patient.Patient) Result {
	return rate(p, "denials", func(first, later *scrape.Metrics) float64 {
		return scrape.Rise(first, later, "coredns_dns_responses_total", "rcode=NXDOMAIN")
	}, func(rate float64, seen string) Result {
		if rate > flood {
			return yellow("find who asks: coredns top, or log with class denial; doc/monitoring.md#clusterdnsdenialflood", "%.0f names a second are denied%s", rate, seen)
		}
		return green("%.0f names a second are denied%s", rate, seen)
	})
}

// drops says whether questions are lost at the sockets.
func drops(_ context.Context, p *patient.Patient) Result {
	const packets = "coredns_clusterdns_fastpath_packets_total"
	return rate(p, "the sockets", func(first, later *scrape.Metrics) float64 {
		return scrape.Rise(first, later, packets, "outcome=dropped") + scrape.Rise(first, later, packets, "outcome=lost")
	}, func(rate float64, seen string) Result {
		all, err := ourScrapes(p, true)
		if err != nil {
			return unseen("the sockets", err)
		}
		var dropped, lost float64
		for _, s := range all {
			dropped, lost = dropped+s.Sum(packets, "outcome=dropped"), lost+s.Sum(packets, "outcome=lost")
		}
		text := fmt.Sprintf("%.1f questions a second are lost at the sockets; since the start %.0f under overload, %.0f by the kernel%s", rate, dropped, lost, seen)
		if rate > manyDrops {
			return yellow("more CPU or replicas: doc/monitoring.md#clusterdnspacketsdropped", "%s", text)
		}
		return green("%s", text)
	})
}

// rate judges the sum of a rate of all replicas.
func rate(p *patient.Patient, what string, of func(first, later *scrape.Metrics) float64, judge func(rate float64, seen string) Result) Result {
	first, err := ourScrapes(p, false)
	if err != nil {
		return unseen(what, err)
	}
	later, err := ourScrapes(p, true)
	if err != nil {
		return unseen(what, err)
	}
	sum := 0.0
	for r, s := range later {
		if first[r] != nil {
			sum += of(first[r], s)
		}
	}
	return judge(sum, unscraped(p, len(later)))
}

// fullShare is the share of Go's limit from which the limit is too near. The server sets it to 90 % of the container's.
const fullShare = 0.85

// memory checks that the limit is enough for a cluster of this size.
func memory(_ context.Context, p *patient.Patient) Result {
	replicas, err := p.Replicas()
	if err != nil {
		return unseen("the memory", err)
	}
	for _, r := range replicas {
		for _, c := range r.Status.ContainerStatuses {
			if end := c.LastTerminationState.Terminated; end != nil && end.Reason == "OOMKilled" {
				return red("raise the memory limit", "Pod %s was ended by the kernel for its memory at %s", r.Name, end.FinishedAt.UTC().Format("2006-01-02 15:04"))
			}
		}
	}
	scrapes, err := ourScrapes(p, false)
	if err != nil {
		return unseen("the memory", err)
	}
	fullest := inOrder(scrapes)[0]
	for r, s := range scrapes {
		if s.Sum(resident) > scrapes[fullest].Sum(resident) {
			fullest = r
		}
	}
	return memoryOf(fullest, scrapes[fullest])
}

const resident = "process_resident_memory_bytes"

func memoryOf(r *patient.Replica, s *scrape.Metrics) Result {
	const mega = 1 << 20
	taken, limit := s.Sum(resident), s.Sum("go_gc_gomemlimit_bytes")
	if own := r.Server().Resources.Limits.Memory().AsApproximateFloat64(); own > 0 && limit > own {
		limit = own
	}
	text := fmt.Sprintf("Pod %s takes %.0f MiB for %.0f objects, which are %.0f MiB of it", r.Name, taken/mega, s.Sum("coredns_clusterdns_objects"), s.Sum("coredns_clusterdns_held_bytes")/mega)
	switch {
	case limit <= 0 || limit > math.MaxInt64/2:
		return green("%s; it has no limit", text)
	case taken > fullShare*limit:
		return yellow("raise the memory limit", "%s; Go's limit is %.0f MiB", text, limit/mega)
	}
	return green("%s; Go's limit is %.0f MiB", text, limit/mega)
}
