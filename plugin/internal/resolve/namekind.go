package resolve

import "github.com/clusterdns/clusterdns/plugin/internal/cluster"

// NameKind is what a name is in the cluster or, where nothing is there, what is
// missing: a name below a Namespace that does not exist is [KindNamespace], one
// whose Namespace exists but not its Service is [KindService]. It is decided by the
// look-up and is of the name that was asked for, not of those that aliases lead to.
//
// There are Few kinds and they are small numbers, to count answers by.
type NameKind uint8

// The kinds of name. Endpoints and ports are told apart by their place.
const (
	KindUnknown      NameKind = iota // no look-up was made: out of zone, or not ready
	KindZone                         // the zone's own: the apex, ns.dns, dns-version, or nothing that a cluster has
	KindNamespace                    // the empty non-terminal above the Services or Pods of a Namespace
	KindService                      // a Service with a ClusterIP
	KindHeadless                     // a headless Service; it is missing without ready endpoints
	KindExternalName                 // an ExternalName Service
	KindEndpoint                     // one label below a Service, or an endpoint by cluster or topology zone
	KindPort                         // a named port of a Service
	KindPod                          // a Pod by its address
	KindReverse                      // an address, or an empty non-terminal above addresses
	KindExternal                     // any name in a zone for the world outside the cluster

	NameKinds // the number of kinds
)

// nameKinds are the kinds of the names of Services.
var nameKinds = [...]NameKind{cluster.ClusterIP: KindService, cluster.Headless: KindHeadless, cluster.ExternalName: KindExternalName}
