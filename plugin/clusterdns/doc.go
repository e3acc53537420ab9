// Package clusterdns is a CoreDNS plugin that gives a Kubernetes cluster its DNS.
//
// It takes the place of the stock kubernetes plugin: the same directive, under
// that name or its own, answers for the Services and Pods of a cluster. The
// package is the CoreDNS side of it: the Corefile, the handler in the plugin
// chain, and readiness. What the objects mean in DNS is decided in
// package zone, where they come from in package kube.
//
//	Corefile --parse--> config --OnStartup--> kube.Watcher --> cluster.Store
//	query --> ServeDNS --> answer.Lookup(view, snapshot) --> *dns.Msg
//
// Watchers outlive a reload: server blocks that want the same objects from the
// same place share one, within an instance and from one instance to the next.
package clusterdns
