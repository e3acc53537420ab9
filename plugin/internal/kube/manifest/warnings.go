package manifest

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// category is a way in which an object of the manifests means nothing, or less than it
// seems to.
type category int

const (
	unsupported category = iota
	versioned
	endpoints
	unread
	podless
	unasked
	unpublished
	irregular
	invalid
	repeated
	unaddressed
	misaddressed
	misnamed
	unnamed
	misported
	mistyped
	untyped
	hostless
	unlabelled
	orphaned
	categories
)

// headings are the texts of the categories in log lines. A list of objects follows each.
var headings = [categories]string{
	unsupported:  "left out, of a kind that DNS does not show",
	versioned:    "left out, of a version of the API that is not read",
	endpoints:    "left out, Endpoints are not read: write an EndpointSlice (discovery.k8s.io/v1) with the label kubernetes.io/service-name",
	unread:       "left out, ServiceImports are read only with the property multicluster",
	podless:      "left out, Pods are read only with the property pods",
	unasked:      "left out, shown only by the plugin kubernetes without noendpoints, Services also by k8s_gateway with resources Service",
	unpublished:  "left out, shown only by the plugin k8s_gateway",
	irregular:    "left out, not a regular file",
	invalid:      "left out, with a name that is not a DNS label",
	repeated:     "given more than once, the last one counts",
	unaddressed:  "Services without a clusterIP, which have no address",
	misaddressed: "left out, expected an IP address",
	misnamed:     "Services without a target, expected a DNS name as externalName",
	unnamed:      "left out of published names, expected hostnames, addresses and records that can be shown",
	misported:    "ports left out, expected a number from 1 to 65535, and TCP, UDP or SCTP",
	mistyped:     "taken for the type ClusterSetIP, expected ClusterSetIP or Headless",
	untyped:      "Services of a type that Kubernetes does not have",
	hostless:     "hostnames of load balancers left out, expected a DNS name, or an address as ip",
	unlabelled:   "EndpointSlices without the label kubernetes.io/service-name, which has to name their Service",
	orphaned:     "EndpointSlices without effect, because these files do not have their Service",
}

// mentions is the largest number of objects in one log line.
const mentions = 20

// warnings are the groups of all categories.
type warnings [categories]group

// warning is an object of a category.
type warning struct {
	category category
	name     string
}

// group is the objects of one category: their number, and the first ones by name.
type group struct {
	count int
	names uint64 // hash of all names, in order
	first []string
}

func (w *warnings) add(c category, name, place string) {
	g := &w[c]
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", g.names, name)
	g.names = h.Sum64()
	if g.count++; g.count <= mentions {
		g.first = append(g.first, fmt.Sprintf("%s (%s)", name, place))
	}
}

// write logs a line for each category, unless before has the same objects in it. It ignores
// their places, which move with every edit.
func (w *warnings) write(log Logger, before *warnings) {
	for c := range w {
		if g := &w[c]; g.count > 0 && g.names != before[c].names {
			log.Warningf("manifests: %s: %s", headings[c], g)
		}
	}
}

// leftOut returns a text about objects that were left out, to append to an error.
func (w *warnings) leftOut() (text string) {
	for c := range w {
		if g := &w[c]; g.count > 0 && strings.HasPrefix(headings[c], "left out") {
			text += fmt.Sprintf("; %s: %s", headings[c], g)
		}
	}
	return text
}

func (g *group) String() string {
	text := strings.Join(g.first, ", ")
	if g.count > mentions {
		text += fmt.Sprintf(", and %d more", g.count-mentions)
	}
	return text
}
