// Package publish decides which names Kubernetes objects give to the world: Ingresses, routes of
// the Gateway API, Services with a load balancer, and DNSEndpoints of external-dns.
//
//	API object --Convert--> Object --Set.Replace--> Txn.Publish
//
// An Ingress, a Service and a DNSEndpoint name their own targets. A route has names at a Gateway,
// whose addresses are the targets, if
//
//   - the Gateway's controller has accepted the route for this parentRef,
//   - a listener of the parentRef lets routes of this kind from this Namespace in, and
//   - the hostnames of the listener and of the route have the name in common.
//
// A parentRef may also be a ListenerSet that the Gateway lets in.
//
// An object without a target has no names. If several objects have one name, the oldest wins, as
// the Gateway API says; addresses and aliases are decided apart from texts, but beside an alias nothing
// else can be. Names are fully qualified and in one of the zones (package zone). A Set is for names outside or
// for those inside.
//
// The rule not to break: what is published depends on the objects alone, and not on the order in
// which they arrive.
package publish
