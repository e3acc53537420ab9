package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// sockets says whether questions are answered at the sockets, and which line is in the way.
func sockets(_ context.Context, p *patient.Patient) Result {
	var why []string
	all, err := p.Corefiles()
	for _, c := range all {
		for _, f := range c.Found {
			if f.Rule == "sockets" {
				why = append(why, fmt.Sprintf("line %d: %s", f.Line, f.What))
			}
		}
	}
	off := "doc/fast-path.md lists the lines beside which questions are answered at the sockets"
	scrapes, seen := ourScrapes(p, true) // soon after a start the first may be too early
	switch {
	case seen != nil && err != nil:
		return unseen("the sockets", seen)
	case seen != nil:
		return unseen("whether questions are answered at the sockets", seen)
	}
	for _, r := range inOrder(scrapes) {
		enabled := scrapes[r].By("coredns_clusterdns_fastpath_enabled", "server")
		for server, on := range enabled {
			if on == 0 {
				return yellow(off, "questions at %s of Pod %s go through the plugin chain: %s", server, r.Name, orLog(why))
			}
		}
		if len(enabled) == 0 {
			return yellow(off, "Pod %s answers nothing at its sockets: %s", r.Name, orLog(why))
		}
	}
	if len(why) > 0 {
		return yellow(off, "%s", strings.Join(why, "; "))
	}
	return green("questions over UDP are answered at the sockets%s%s", share(p), unscraped(p, len(scrapes)))
}

func orLog(why []string) string {
	if len(why) == 0 {
		return "its log says why"
	}
	return strings.Join(slices.Compact(why), "; ")
}

// share says which share of the packets is answered there.
func share(p *patient.Patient) string {
	const packets = "coredns_clusterdns_fastpath_packets_total"
	scrapes, err := ourScrapes(p, false)
	if err != nil {
		return ""
	}
	var answered, handed float64
	for _, s := range scrapes {
		answered, handed = answered+s.Sum(packets, "outcome=answered"), handed+s.Sum(packets, "outcome=handed_over")
	}
	if answered+handed < enoughQuestions {
		return ""
	}
	return ", " + percent(answered/(answered+handed)) + " of them"
}
