// Package searchpath completes, on the server, what stub resolvers make of a name by
// their search path (resolv.conf(5)). It is pure: it knows no cluster, no CoreDNS
// and no I/O, and allocates nothing for a question.
//
// A Pod in the Namespace shop that looks up www.example.com asks for
//
//	www.example.com.shop.svc.cluster.local    its own suffix
//	www.example.com.svc.cluster.local         the elements of its search path
//	www.example.com.cluster.local
//	www.example.com.corp.example              the node's suffixes
//	www.example.com                           the name as it is
//
// one after the other, each for A and for AAAA, until one name exists. The first
// question tells the server all of them:
//
//	name --Parse--> Question --Begin(List)--> Walk --Next--> the first name that exists
//
// A [List] is what comes after the client's own suffix; a [Path] makes the one
// that all Pods have, and those of Pods with settings of their own. A [Walk] asks a
// [Cluster] for every element, in the client's order, and stops at names that only
// others can tell about.
//
// The rule not to break: it depends on names alone. Which type is asked for, over
// which transport and of which replica, has no part in what is decided, because a
// client that is told of one name for A and of none for AAAA loses addresses.
//
// A name that may be meant as it stands is never taken for one that was searched
// for: one label before the Namespace may be a Service, and what comes before a
// Service that exists may be an endpoint or a port of it. Underscores
// belong to the ports of Services (RFC 2782), so names with one stay in the cluster.
package searchpath
