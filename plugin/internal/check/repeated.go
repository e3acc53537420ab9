package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What CoreDNS 1.15.0 does of several directives of one plugin in a server block, where it does not refuse them and does
// not use them all.
var (
	// firstCounts are plugins that read the first one alone.
	firstCounts = []string{"bufsize", "chaos", "etcd", "grpc_server", "header", "https", "https3", "nomad", "quic", "reload"}
	// lastCounts are plugins in which what the last one says takes the place of what was said before.
	lastCounts = []string{"auto", "autopath", "cancel", "dns64", "erratic", "health", "loadbalance", "proxyproto", "root", "siit", "timeouts", "tls", "trace"}
	// lastOfZone are plugins in which the last one for a zone takes the place of those before. The number is where the zones begin.
	lastOfZone = map[string]int{"file": 1, "secondary": 0}
)

// repeated: directives of which another one of the same plugin leaves nothing.
func (c *judge) repeated(b *block) []Finding {
	return slices.Concat(b.unread(), b.replaced(), b.replacedZones(), b.shadowed())
}

// unread returns the findings about directives that are not read.
func (b *block) unread() (found []Finding) {
	for _, name := range firstCounts {
		all := b.directives[name]
		for _, d := range all[min(1, len(all)):] {
			if !d.same(all[0]) {
				found = append(found, d.finding(Warning, "without-effect",
					fmt.Sprintf("%s reads its first directive in a server block alone, which is in %s: this one has no effect.", name, all[0].place()),
					"What you want of both in "+all[0].place()+"."))
			}
		}
	}
	return found
}

// replaced returns the findings about directives whose settings do not last.
func (b *block) replaced() (found []Finding) {
	for _, name := range lastCounts {
		all := b.directives[name]
		for _, d := range all[:max(0, len(all)-1)] {
			if last := all[len(all)-1]; !d.same(last) {
				found = append(found, d.finding(Warning, "without-effect",
					fmt.Sprintf("%s stands in this server block again, and where the two say something else, %s counts.", name, last.place()),
					"What you want of both in "+last.place()+"."))
			}
		}
	}
	return found
}

// replacedZones returns the findings about zones that a later directive has.
func (b *block) replacedZones() (found []Finding) {
	for _, name := range slices.Sorted(maps.Keys(lastOfZone)) {
		zones := func(d *directive) []string { return b.zonesOf(d.args[min(lastOfZone[name], len(d.args)):]) }
		for i, d := range b.directives[name] {
			for _, later := range b.directives[name][i+1:] {
				at := slices.IndexFunc(zones(d), func(z string) bool { return slices.Contains(zones(later), z) })
				if at >= 0 && !d.same(later) {
					found = append(found, d.finding(Warning, "without-effect",
						fmt.Sprintf("%s has the zone %s in %s again, which takes the place of this one.", name, texts(zones(d)[at:at+1]), later.place()),
						"One "+name+" for each zone."))
				}
			}
		}
	}
	return found
}

// shadowed returns the findings about directives for which an earlier one leaves no question.
func (b *block) shadowed() (found []Finding) {
	asked := slices.Concat(b.directives["forward"], b.directives["grpc"])
	for _, all := range [][]*directive{asked, b.directives["template"]} {
		for i, d := range all {
			first := slices.IndexFunc(all[:i], func(earlier *directive) bool { return b.takesAllOf(earlier, d) })
			if first < 0 {
				continue
			}
			found = append(found, d.finding(Warning, "never-asked",
				fmt.Sprintf("The %s in %s takes all questions for %s: this %s is never asked.", all[first].words[0], all[first].place(), texts(b.answersFor(d)), d.words[0]),
				"One of them, with all upstreams behind it, or the one for the narrower zone above the other."))
		}
	}
	return found
}

// takesAllOf reports whether a directive answers each question that another one could answer.
func (b *block) takesAllOf(earlier, d *directive) bool {
	if d.words[0] == "template" {
		return b.templateTakes(earlier, d)
	}
	if earlier.property("next") != nil || !meetsAll(b.answersFor(earlier), b.answersFor(d)) {
		return false
	}
	for _, l := range earlier.properties {
		if l.words[0] == "except" && slices.ContainsFunc(b.answersFor(d), func(zone string) bool { return meet(b.zonesOf(l.arguments()), zone) }) {
			return false
		}
	}
	return true
}

// templateTakes does the same for templates, of which one with expressions may leave some.
func (b *block) templateTakes(earlier, d *directive) bool {
	if len(earlier.args) < 2 || len(d.args) < 2 || earlier.property("match") != nil {
		return false
	}
	for i := range 2 {
		if all := strings.EqualFold(earlier.args[i], "ANY"); !all && !strings.EqualFold(earlier.args[i], d.args[i]) {
			return false
		}
	}
	return meetsAll(b.answersFor(earlier), b.answersFor(d))
}

// same reports whether two directives say the same.
func (d *directive) same(other *directive) bool {
	return slices.Equal(d.words, other.words) && slices.EqualFunc(d.properties, other.properties, func(a, b line) bool { return slices.Equal(a.words, b.words) })
}

// place returns where a line is, for a sentence.
func (l *line) place() string { return fmt.Sprintf("line %d", l.no) }
