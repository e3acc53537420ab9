package resolve

import (
	"net/netip"

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

	// What a view for the world outside the cluster has of its own.
	NameServer, Mailbox string // labels of the names in the SOA record
	LongSOA             bool   // the TTL of the SOA record has no bound of its own
}

// The labels below an origin of the names in its SOA record.
const (
	nsLabels  = "ns.dns"
	mboxLabel = "hostmaster"
)

func (v *View) nameServer() string {
	if v.NameServer == "" {
		return nsLabels
	}
	return v.NameServer
}

func (v *View) mailbox() string {
	if v.Mailbox == "" {
		return mboxLabel
	}
	return v.Mailbox
}

// Origin returns the origin that a name belongs to: of several, the longest. It is nil for a
// name outside.
func (v *View) Origin(n *dnsname.Name) *Origin {
	var best *Origin
	for i := range v.Origins {
		o := &v.Origins[i]
		if o.Encloses(n) && (best == nil || o.Labels() > best.Labels()) {
			best = o
		}
	}
	return best
}

// Exposes reports whether a Namespace exists and is shown.
func (v *View) Exposes(s *cluster.Snapshot, name string) bool {
	if v.Namespaces != nil {
		if _, ok := v.Namespaces[name]; !ok {
			return false
		}
	}
	return s.HasNamespace(name)
}

// primaryOrigin is the first origin that is not a reverse zone: reverse names point
// into it. Zones of the cluster set come last: the names of this cluster's
// addresses are not there.
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

// Primary returns where the names of addresses are. In an external zone without a forward
// origin they are where no zone has them, as from stock CoreDNS.
func (v *View) Primary(outside bool) *Origin {
	o := v.primaryOrigin()
	if o == nil && outside {
		return &v.Origins[0]
	}
	return o
}

// SOANames returns the names in the SOA record of an origin, which a client may have spelled
// in its own way.
func (v *View) SOANames(o *Origin, spelled string) (ns, mbox string) {
	if v.NameServer == "" && spelled == o.String() {
		return o.ns, o.mbox
	}
	return dnsname.Below(spelled, v.nameServer()), dnsname.Below(spelled, v.mailbox())
}
