package resolve

import "github.com/clusterdns/clusterdns/plugin/internal/cluster"

// NameKind is the kind of object that a name stands for or, if the name does not exist, the
// kind that is missing: a name below a Namespace that does not exist is [KindNamespace],
// one whose Namespace exists without its Service is [KindService]. It describes the name in
// the question, not the names that aliases lead to.
//
// Metrics count answers by kind, so the kinds are few and are small numbers.
type NameKind uint8

// The kinds of name. The number of labels tells endpoints from ports.
const (
	KindUnknown      NameKind = iota // no look-up was made: the name is out of zone, or the snapshot is not ready
	KindZone                         // a name of the zone itself (the apex, ns.dns, dns-version), or of no form that a cluster has
	KindNamespace                    // the Namespace of a Service or Pod, or the empty non-terminal of a Namespace
	KindService                      // a Service with a ClusterIP
	KindHeadless                     // a headless Service, with ready endpoints or without
	KindExternalName                 // an ExternalName Service
	KindEndpoint                     // one label below a Service, or an endpoint by cluster or topology zone
	KindPort                         // a named port of a Service
	KindPod                          // a Pod by its address
	KindReverse                      // an address, or an empty non-terminal above addresses
	KindExternal                     // any name in an external zone
	KindPublished                    // any name in a zone of published names

	NameKinds // the number of kinds
)

// nameKinds are the kinds of the names of Services.
var nameKinds = [...]NameKind{cluster.ClusterIP: KindService, cluster.Headless: KindHeadless, cluster.ExternalName: KindExternalName}
