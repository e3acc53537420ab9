package zone

import (
	"math"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// PodMode says which names below pod.<origin> exist.
type PodMode uint8

// The modes of pod names.
const (
	PodsDisabled PodMode = iota // none
	PodsInsecure                // every address in a Namespace that exists
	PodsVerified                // the addresses of the Pods in the Namespace
)

// maxChain is the number of aliases that are followed within our zones. RFC 1034
// 3.6.2 sets no limit; stock CoreDNS, which counts anew in each zone, may follow
// more than its eleven.
const maxChain = 32

// View is what one server block shows of a snapshot. It is not changed while it
// is in use.
type View struct {
	Origins    []Origin
	TTL        uint32              // of every record but the schema version, in seconds
	Namespaces map[string]struct{} // those shown; nil for all
	Pods       PodMode
	PodNames   bool         // an endpoint without a hostname is named after its Pod
	Local      []netip.Addr // the server's own addresses, for NS records

	IgnoreEmpty bool // a ClusterIP Service without ready endpoints does not exist
	Zonal       bool // headless Services have names for topology zones
}

// Origin is the origin that a name belongs to: of several, the longest.
func (v *View) Origin(n *dnsname.Name) (Origin, bool) {
	if o := v.origin(n); o != nil {
		return *o, true
	}
	return Origin{}, false
}

func (v *View) origin(n *dnsname.Name) *Origin {
	var best *Origin
	for i := range v.Origins {
		o := &v.Origins[i]
		if o.Encloses(n) && (best == nil || o.Labels() > best.Labels()) {
			best = o
		}
	}
	return best
}

// Everything is room for every record there is.
var Everything = Room{Size: math.MaxInt32}

// Lookup answers a question from a snapshot. Owners and origins in the answer
// keep the spelling of the question.
func (v *View) Lookup(s *cluster.Snapshot, n *dnsname.Name, qtype uint16) Answer {
	return v.LookupWithin(s, n, qtype, Everything)
}

// LookupWithin answers with no more than there is room for in a message whose names are
// compressed, in a time that does not depend on how much more there is. Chance decides
// what is left out.
func (v *View) LookupWithin(s *cluster.Snapshot, n *dnsname.Name, qtype uint16, room Room) Answer {
	o := v.origin(n)
	if o == nil {
		return Answer{Result: OutOfZone}
	}
	if !s.Synced() {
		return Answer{Result: NotReady, Authority: v.denial(o, n, s.Serial())}
	}
	return v.follow(s, n, qtype, room)
}

// follow answers with the chain of aliases that begins at n and with what its
// last name has (RFC 1034 3.6.2). The last name decides the result (RFC 6604).
func (v *View) follow(s *cluster.Snapshot, n *dnsname.Name, qtype uint16, room Room) Answer {
	var a Answer
	for {
		o := v.origin(n)
		if o == nil || n.IsReverse() && len(a.Records) > 0 {
			a.Result, a.Target = Delegate, n.String()
			return a
		}
		p := v.locate(s, n, o)
		if len(a.Records) == 0 {
			a.Kind = p.name
		}
		target := p.target()
		if target == nil {
			return v.answer(s, n, o, p, a, qtype, room)
		}
		a.Records = append(a.Records, &dns.CNAME{Hdr: header(n.String(), dns.TypeCNAME, v.TTL), Target: target.String()})
		if qtype == dns.TypeCNAME || qtype == dns.TypeANY || a.closed(target.String()) {
			a.Result = Success
			return a
		}
		n = target
	}
}

// closed says whether a chain of aliases must not be followed to target: it
// would go in a circle, or is too long. What was found so far is the answer.
func (a *Answer) closed(target string) bool {
	for _, rr := range a.Records {
		if strings.EqualFold(rr.Header().Name, target) {
			return true
		}
	}
	return len(a.Records) > maxChain
}

// exposes says whether a Namespace exists and is shown.
func (v *View) exposes(s *cluster.Snapshot, name string) bool {
	if v.Namespaces != nil {
		if _, ok := v.Namespaces[name]; !ok {
			return false
		}
	}
	return s.HasNamespace(name)
}

// primary is the first origin that is not a reverse zone: reverse names point
// into it. Zones of the cluster set come last: the names of this cluster's
// addresses are not there.
func (v *View) primary() string {
	if o := v.primaryOrigin(); o != nil {
		return o.String()
	}
	return "."
}

func (v *View) primaryOrigin() *Origin {
	for _, clusterSet := range []bool{false, true} {
		for i := range v.Origins {
			if o := &v.Origins[i]; !o.Reverse() && o.ClusterSet == clusterSet {
				return o
			}
		}
	}
	return nil
}
