// Package fetch reads the few objects of a cluster that a look-up touches, with the rights of whoever asks, and
// writes them into a file for the property manifests.
//
// It asks for objects by their names where it can: a Namespace, a Service, the EndpointSlices of the Service, and the
// Pods that a headless Service selects. It lists Services of one name in all Namespaces only where the name is
// missing, to say who else has it. The numbers of objects and of requests are bounded.
//
// The rule not to break: what may not be seen is not missing. It is in Unseen, and where an answer depends on it in
// Blind.
package fetch
