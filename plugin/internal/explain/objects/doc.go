// Package objects reads manifests with more of their fields than DNS needs: those that say why a name is what it is. It
// tells which Pods and EndpointSlices a Service has, and what keeps a Pod from being ready.
package objects
