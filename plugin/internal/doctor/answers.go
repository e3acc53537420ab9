package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// replies checks that each replica answers over both networks, and that all say the same.
func replies(_ context.Context, p *patient.Patient) Result {
	replicas, err := p.Replicas()
	if err != nil {
		return unseen("the replicas' answers", err)
	}
	reached, err := p.Reached()
	if err != nil {
		return unknown(replicas[0].Exec(), "the Pods cannot be asked from here: %v", err)
	}
	var all []Result
	for _, r := range reached {
		all = append(all, answersOf(r)...)
	}
	if r := worst(all...); r.Light != "" && r.Light != greenLight {
		return r
	}
	if a, b, differs := difference(reached); differs {
		return red("look at the line data, and at the log of the one that is behind", "replicas differ: %s; %s", a, b)
	}
	if _, both := reached[0].Over[patient.UDP]; !both {
		return green("%s answer over TCP by way of the API server, and say the same; UDP cannot be asked from here, but by %s", number(len(reached), "replica"), reached[0].Exec())
	}
	return green("%s answer over UDP and TCP, and say the same", number(len(reached), "replica"))
}

// answersOf says over which networks a replica does not answer.
func answersOf(r *patient.Replica) (all []Result) {
	for _, network := range slices.Sorted(maps.Keys(r.Over)) {
		switch a := r.Over[network]; {
		case a.Err != nil:
			all = append(all, red("look at the Pod's log, and for a NetworkPolicy that lets port 53 through over both protocols", "Pod %s does not answer over %s: %v", r.Name, strings.ToUpper(network), a.Err))
		case slices.ContainsFunc(a.Text, func(t string) bool { return strings.Contains(t, ": SERVFAIL") }):
			all = append(all, red("look at the lines rights and data", "Pod %s answers names of the cluster with SERVFAIL", r.Name))
		}
	}
	return all
}

// difference returns two replies that differ.
func difference(replicas []*patient.Replica) (one, other string, differs bool) {
	first := replicas[0]
	want := first.Over[patient.TCP].Text
	for _, r := range replicas {
		for _, a := range r.Over {
			for i, text := range a.Text {
				if text != want[i] {
					return fmt.Sprintf("Pod %s says %s", first.Name, want[i]), fmt.Sprintf("Pod %s says %s", r.Name, text), true
				}
			}
		}
	}
	return "", "", false
}
