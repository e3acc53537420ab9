package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// renaming is a rule of the plugin rewrite for names.
type renaming struct {
	line
	way      string
	from, to string
	answers  bool // something is done about the names in the answer
}

// renamings returns the rules for names of a block.
func (b *block) renamings() (all []renaming) {
	for _, d := range b.directives["rewrite"] {
		at, words := d.line, d.args
		answers := slices.ContainsFunc(d.properties, func(l line) bool { return l.words[0] == "answer" })
		if i := slices.IndexFunc(d.properties, func(l line) bool { return l.words[0] == "name" }); i >= 0 {
			at, words = d.properties[i], d.properties[i].words
		}
		if len(words) > 0 && (words[0] == "stop" || words[0] == "continue") {
			words = words[1:]
		}
		if len(words) < 3 || !strings.EqualFold(words[0], "name") {
			continue
		}
		r := renaming{line: at, way: "exact", from: words[1], to: words[2], answers: answers || slices.Contains(words, "answer")}
		if len(words) > 3 {
			r.way, r.from, r.to = strings.ToLower(words[1]), words[2], words[3]
		}
		all = append(all, r)
	}
	return all
}

// rewrites: answers that have another name than the question, and rules that do nothing.
func (c *judge) rewrites(b *block) (found []Finding) {
	for _, r := range b.renamings() {
		if r.way != "exact" && !r.answers {
			found = append(found, r.finding(Warning, "rewrite-answer",
				"Answers have the name that the rule made, and many resolvers drop an answer to a name that they did not ask for.",
				"answer auto at the end of the rule."))
		}
		if r.way != "exact" && r.way != "suffix" {
			continue
		}
		found = append(found, b.misplaced(r)...)
	}
	return found
}

// misplaced returns the findings about a rule in a block that does not get the questions, or does not have
// the answers.
func (b *block) misplaced(r renaming) (found []Finding) {
	from, to := zoneOf(r.from), zoneOf(r.to)
	if !isName(from) || !isName(to) {
		return nil
	}
	owner := b.owner(from)
	switch {
	case r.way == "suffix" && meet(b.zones, from):
	case owner == nil || !encloses(b.zones, from):
		found = append(found, r.finding(Warning, "rewrite-elsewhere",
			fmt.Sprintf("No question for %s comes to this server block, which is for %s.", from, texts(b.zones)),
			fmt.Sprintf("This rule in a server block that %s is in.", from)))
	case owner != b:
		found = append(found, r.finding(Warning, "rewrite-elsewhere",
			fmt.Sprintf("Questions for %s go to the server block for %s at line %d, because its zone is longer.", from, texts(owner.zones), owner.line),
			"This rule in that server block."))
	}
	if other := b.owner(to); other != nil && other != b && other.cluster() != nil && b.cluster() == nil {
		found = append(found, r.finding(Warning, "rewrite-target",
			fmt.Sprintf("%s is asked of this server block's own plugins, not of the server block for %s that has the cluster.", to, texts(other.zones)),
			fmt.Sprintf("kubernetes %s in this server block too, or the rule in that one.", texts(other.forwardOrigins()))))
	}
	for i := range found {
		if found[i].Renamed = from; r.way == "suffix" {
			found[i].Renamed = "." + from
		}
	}
	return found
}

// zoneOf returns a name as CoreDNS normalizes it.
func zoneOf(text string) string {
	return dns.Fqdn(strings.TrimPrefix(plugin.Name(text).Normalize(), "."))
}
