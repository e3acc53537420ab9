package resolve

import (
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Parts are the parts of a name, in lower case. A part that the name does not have is
// empty.
type Parts struct {
	Kind         string // svc or pod
	Namespace    string
	Service      string // the name of a Service, or the address of a Pod with dashes
	Endpoint     string
	Cluster      string // the cluster of an endpoint, in an origin of the cluster set
	Port         string // without its underscore, like Protocol
	Protocol     string
	TopologyZone string
}

// Explain splits a name in an origin into its parts, whether or not it exists. It reports
// false for a name that has the form of neither a Service nor a Pod.
func (v *View) Explain(n *dnsname.Name, o *Origin) (Parts, bool) {
	rest := n.Labels() - o.Labels()
	if rest == 0 {
		return Parts{}, true
	}
	var p Parts
	p.Kind = n.Label(rest - 1)
	if p.Kind != "svc" && p.Kind != "pod" {
		return Parts{}, false
	}
	if rest == 1 {
		return Parts{}, true // the name svc or pod itself
	}
	p.Namespace = n.LabelText(rest - 2)
	if rest >= 3 {
		p.Service = n.LabelText(rest - 3)
	}
	return p, rest <= 3 || v.explainBelow(&p, n, o, rest-3)
}

// explainBelow sets the parts in the labels below a Service; rest is their number.
func (v *View) explainBelow(p *Parts, n *dnsname.Name, o *Origin, rest int) bool {
	switch {
	case rest == 1:
		p.Endpoint = n.LabelText(0)
	case rest == 2 && o.hasClusterIn(n):
		p.Endpoint, p.Cluster = n.LabelText(0), n.LabelText(1)
	case rest == 2:
		p.Port, p.Protocol = Undecorated(n.LabelText(0)), Undecorated(n.LabelText(1))
	case v.Zonal && !o.ClusterSet && p.Kind == "svc" && n.Label(rest-1) == zoneLabel:
		return v.explainZonal(p, n, rest-1)
	default:
		return false
	}
	return true
}

func (v *View) explainZonal(p *Parts, n *dnsname.Name, rest int) bool {
	directive := n.Label(rest - 1)
	if directive != directivePin && directive != directivePrefer {
		return false
	}
	labels := make([]string, rest-1)
	for i := range labels {
		labels[i] = n.LabelText(i)
	}
	p.TopologyZone = strings.Join(labels, ".")
	return true
}
