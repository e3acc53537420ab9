package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// replies checks that each replica answers over both networks, and that all say the same.
func replies(_ context.Context, p *patient.Patient) Result {
	reached, err := p.Reached()
	if err != nil {
		return unseen("the replicas' answers", err)
	}
	replicas, err := p.Replicas()
	if err != nil {
		return unseen("the replicas' answers", err)
	}
	if len(reached) == 0 {
		return unknown(replicas[0].Exec(), "the Pods cannot be asked from here")
	}
	var all []Result
	for _, r := range reached {
		all = append(all, answersOf(r)...)
	}
	if r := worst(all...); r.Light != greenLight {
		return r
	}
	if a, b, differs := difference(reached); differs {
		return red("look at the line data, and at the log of the one that is behind", "replicas differ: %s; %s", a, b)
	}
	return green("%s answer over UDP and TCP, and say the same", number(len(replicas), "replica"))
}

// answers says what does not answer.
func answersOf(r *patient.Replica) (all []Result) {
	for network, a := range map[string]patient.Answers{"UDP": r.OverUDP, "TCP": r.OverTCP} {
		switch {
		case a.Err != nil:
			all = append(all, red("look at the Pod's log, and for a NetworkPolicy that lets port 53 through over both protocols", "Pod %s does not answer over %s: %v", r.Name, network, a.Err))
		case slices.ContainsFunc(a.Text, func(t string) bool { return strings.Contains(t, ": SERVFAIL") }):
			all = append(all, red("look at the lines rights and data", "Pod %s answers names of the cluster with SERVFAIL", r.Name))
		}
	}
	return append(all, green("Pod %s answers in %v", r.Name, r.OverUDP.Took.Round(time.Microsecond)))
}

// difference returns two replies that differ.
func difference(replicas []*patient.Replica) (one, other string, differs bool) {
	first := replicas[0]
	for _, r := range replicas {
		for _, a := range []*patient.Answers{&r.OverUDP, &r.OverTCP} {
			for i := range a.Text {
				if want := first.OverUDP.Text[i]; a.Text[i] != want {
					return fmt.Sprintf("Pod %s says %s", first.Name, want), fmt.Sprintf("Pod %s says %s", r.Name, a.Text[i]), true
				}
			}
		}
	}
	return "", "", false
}
