package resolve

import "github.com/clusterdns/clusterdns/plugin/internal/dnsname"

// Origin is the name of a zone that we serve.
type Origin struct {
	dnsname.Origin

	// Of the zone's SOA record, where a client spells the origin in lower case.
	ns, mbox string

	// ClusterSet is set for a zone of the multi-cluster services API, whose
	// Services are the ServiceImports.
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
