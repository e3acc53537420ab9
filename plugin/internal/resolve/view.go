package resolve

import (
	"net/netip"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// PodMode says which names below pod.<origin> exist.
type PodMode uint8

// The modes of names below pod.
const (
	PodsDisabled PodMode = iota // none
	PodsInsecure                // any address in a Namespace that exists
	PodsVerified                // addresses of Pods in the Namespace
)

// View is what one server block shows of a snapshot. It must not change while it is in use.
type View struct {
	Origins    []Origin
	TTL        uint32              // TTL in seconds of every record but the schema version
	Namespaces map[string]struct{} // the Namespaces that are shown; nil for all
	Pods       PodMode
	PodNames   bool         // an endpoint without a hostname is named after its Pod
	Local      []netip.Addr // the server's own addresses, for NS records

	IgnoreEmpty bool // a ClusterIP Service without ready endpoints does not exist
	Zonal       bool // headless Services have names for topology zones

	// The fields that only a view of an external zone sets.
	NameServer, Mailbox string   // labels of the names in the SOA record
	LongSOA             bool     // the TTL of the SOA record is not capped
	SecondServer        string   // labels of the name of another server of the zone; empty for none
	Published           bool     // the zone has published names
	Except              []Origin // zones that others answer for, if they are an origin or below it
	// Locator finds names in the place of Locate, for answers in wire form. It is nil for the
	// cluster's own names.
	Locator Locator

	soaNS, soaMbox string // labels of the names in the SOA record in wire form; empty for the cluster's own
}

// The labels of the names in an SOA record, below the origin.
const (
	nsLabels  = "ns.dns"
	mboxLabel = "hostmaster"

	soaNS   = "\x02ns\x03dns" // in wire form
	soaMbox = "\x0ahostmaster"
)

// Ready reports whether a snapshot has all that the view shows.
func (v *View) Ready(s *cluster.Snapshot) bool {
	return s.Synced() && (!v.Published || s.NamesSynced())
}

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

// SOALabels returns the labels of the names in the SOA record, below the origin, in wire form.
func (v *View) SOALabels() (ns, mbox string) {
	if v.soaNS == "" {
		return soaNS, soaMbox
	}
	return v.soaNS, v.soaMbox
}

// SetServer sets the names in the SOA record, below an origin: that of the name server, and that of a
// mailbox below it.
func (v *View) SetServer(server dnsname.Name) {
	v.NameServer = strings.TrimSuffix(server.String(), ".")
	v.Mailbox = mboxLabel + "." + v.NameServer
	v.soaNS = strings.TrimSuffix(server.Wire(), "\x00")
	v.soaMbox = soaMbox + v.soaNS
}

// Origin returns the longest origin that encloses a name. It returns nil if none does, or if a zone of others
// that encloses it is as long.
func (v *View) Origin(n *dnsname.Name) *Origin {
	best := longest(v.Origins, n)
	if best == nil || len(v.Except) == 0 {
		return best
	}
	if other := longest(v.Except, n); other != nil && other.Labels() >= best.Labels() {
		return nil
	}
	return best
}

// OriginNames returns the names of the origins.
func (v *View) OriginNames() (names []string) {
	for _, o := range v.Origins {
		names = append(names, o.String())
	}
	return names
}

// longest returns the longest of some origins that encloses a name, or nil.
func longest(origins []Origin, n *dnsname.Name) (best *Origin) {
	for i := range origins {
		o := &origins[i]
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

// primaryOrigin returns the origin that reverse names point into: the first forward zone.
// Zones of the cluster set come last, because they have no names of this cluster's
// addresses.
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

// Primary returns the origin that the names of addresses are in, or nil if there is none.
// In an external zone without a forward origin it is the first reverse zone, as in stock
// CoreDNS.
func (v *View) Primary(outside bool) *Origin {
	o := v.primaryOrigin()
	if o == nil && outside {
		return &v.Origins[0]
	}
	return o
}

// SOANames returns the names in the SOA record of an origin. They keep the origin's
// spelling in the question.
func (v *View) SOANames(o *Origin, spelled string) (ns, mbox string) {
	if v.NameServer == "" && spelled == o.String() {
		return o.ns, o.mbox
	}
	return dnsname.Below(spelled, v.nameServer()), dnsname.Below(spelled, v.mailbox())
}
