package resolve

import "github.com/clusterdns/clusterdns/plugin/internal/dnsname"

// Origin is the name of a zone that a server block serves.
type Origin struct {
	dnsname.Origin

	// ns and mbox are the names in the zone's SOA record, for clients that spell the origin
	// in lower case.
	ns, mbox string

	// ClusterSet marks a zone of the Multi-Cluster Services API, whose Services are the
	// ServiceImports.
	ClusterSet bool
}

// ParseOrigin parses the name of a zone.
func ParseOrigin(text string) (Origin, error) {
	o, err := dnsname.ParseOrigin(text)
	if err != nil {
		return Origin{}, err
	}
	return Origin{Origin: o, ns: dnsname.Below(o.String(), nsLabels), mbox: dnsname.Below(o.String(), mboxLabel)}, nil
}
