// Package oracle derives the right DNS answers for the reference cluster from nothing but
// the cluster's shape and the Kubernetes DNS specification. It distinguishes right answers
// from wrong ones, and gives other servers the same names.
package oracle

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/refcluster"
)

// The zones.
const (
	Domain  = "cluster.local."
	Reverse = "10.in-addr.arpa."
	Outside = "outside.example." // zone of an upstream server, not of the cluster
)

// Zones are the names of all zones.
var Zones = []string{Domain, Reverse, Outside}

// outsideNames is how many names the upstream has.
const outsideNames = 500

// ttl is the TTL in kubeadm's Corefile, in seconds.
const ttl = 30

// Oracle has the records of all zones.
type Oracle struct {
	shape   refcluster.Shape
	records map[string][]dns.RR // by owner
	exists  map[string]bool     // owners, and the names above them up to the apex
	owners  []string            // sorted by first record
}

// New makes the records of a cluster.
func New(shape refcluster.Shape) *Oracle {
	o := &Oracle{shape: shape, records: map[string][]dns.RR{}, exists: map[string]bool{}}
	for _, origin := range Zones {
		o.addApex(origin)
	}
	for service := range shape.Services {
		if shape.IsHeadless(service) {
			o.addHeadless(service)
		} else {
			o.addVirtual(service)
		}
	}
	for i := range outsideNames {
		o.add(outsideName(i), dns.TypeA, &dns.A{A: refcluster.AddressAt(firstOutside, i).AsSlice()})
	}
	return o
}

// Answer is the right answer to a question.
type Answer struct {
	Rcode int
	Data  []string // sorted, as in a zone file; empty for NODATA and NXDOMAIN
}

// Lookup returns the right answer to a question in any of the zones.
func (o *Oracle) Lookup(qname string, qtype uint16) Answer {
	if !o.exists[qname] {
		return Answer{Rcode: dns.RcodeNameError}
	}
	return Answer{Data: Data(o.Records(qname, qtype))}
}

// Records returns the records of a name and a type.
func (o *Oracle) Records(qname string, qtype uint16) []dns.RR {
	var rrset []dns.RR
	for _, rr := range o.records[qname] {
		if rr.Header().Rrtype == qtype {
			rrset = append(rrset, rr)
		}
	}
	return rrset
}

// Data returns the sorted data of records. It omits the weight of SRV records, which the
// specification leaves open.
func Data(rrset []dns.RR) []string {
	var all []string
	for _, rr := range rrset {
		data := strings.TrimPrefix(rr.String(), rr.Header().String())
		if srv, ok := rr.(*dns.SRV); ok {
			data = fmt.Sprintf("%d %d %s", srv.Priority, srv.Port, srv.Target)
		}
		all = append(all, data)
	}
	slices.Sort(all)
	return all
}

// Owners returns all names with records in the zone.
func (o *Oracle) Owners(origin string) []string {
	var all []string
	for _, owner := range o.owners {
		if dns.IsSubDomain(origin, owner) {
			all = append(all, owner)
		}
	}
	return all
}

// WriteZone writes a zone file.
func (o *Oracle) WriteZone(w io.Writer, origin string) error {
	for _, owner := range o.Owners(origin) {
		for _, rr := range o.records[owner] {
			if _, err := fmt.Fprintln(w, rr); err != nil {
				return err
			}
		}
	}
	return nil
}
