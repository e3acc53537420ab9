package kube

import (
	"fmt"
	"slices"
	"strings"
)

// category is a way in which an object of the manifests means nothing, or less
// than it seems to.
type category int

const (
	unsupported category = iota
	invalid
	repeated
	unaddressed
	orphaned
	categories
)

// headings of the categories, for a log line that goes on with a list.
var headings = [categories]string{
	unsupported: "left out, of a kind that DNS does not show",
	invalid:     "left out, with a name that is not a DNS label",
	repeated:    "given more than once, the last one counts",
	unaddressed: "Services without a clusterIP, which have no address",
	orphaned:    "EndpointSlices of no Service in these files, which mean nothing",
}

// mentions bounds the length of a log line.
const mentions = 20

// findings are the objects of each category.
type findings [categories][]finding

type finding struct{ name, place string }

func (f *findings) add(c category, name, place string) {
	f[c] = append(f[c], finding{name, place})
}

// warn writes a line for each category, unless before had the same objects in
// it. Places do not count: they move with every edit.
func (f *findings) warn(log Logger, before *findings) {
	for c, found := range f {
		same := slices.EqualFunc(found, before[c], func(a, b finding) bool { return a.name == b.name })
		if len(found) > 0 && !same {
			log.Warningf("manifests: %s: %s", headings[c], listed(found))
		}
	}
}

func listed(found []finding) string {
	var items []string
	for i, x := range found {
		if i == mentions {
			items = append(items, fmt.Sprintf("and %d more", len(found)-i))
			break
		}
		items = append(items, fmt.Sprintf("%s (%s)", x.name, x.place))
	}
	return strings.Join(items, ", ")
}
