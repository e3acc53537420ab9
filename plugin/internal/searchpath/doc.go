// Package searchpath completes, on the server, the names that stub resolvers make from a
// name and their search path (resolv.conf(5)). It is pure: it uses no cluster, no CoreDNS
// and no I/O, and it allocates nothing for a question.
//
// A Pod in the Namespace shop that looks up www.example.com asks for
//
//	www.example.com.shop.svc.cluster.local    the suffix of its own Namespace
//	www.example.com.svc.cluster.local         the other elements of its search path
//	www.example.com.cluster.local
//	www.example.com.corp.example              the suffixes of its node
//	www.example.com                           the name as it is
//
// one after another, each for A and for AAAA, until one name exists. From the first
// question, the server can derive all of them:
//
//	name --Parse--> Question --Begin(List)--> Walk --Next--> the first name that exists
//
// A [List] has the elements of a search path after the suffix of the client's own
// Namespace. A [Path] makes the list that most Pods have, and the lists of Pods with
// settings of their own. A [Walk] asks a [Cluster] about every element, in the client's
// order. It stops at each name that exists, and at each name that the server must look up
// to know.
//
// The rule not to break: the outcome depends on names alone, never on the query type, the
// transport or the replica. A client that gets one name for A and none for AAAA loses
// addresses.
//
// A name that may be meant as it stands is not completed: one label before the Namespace
// may be a Service, and labels before a Service that exists may be an endpoint or a port of
// it. Underscores belong to the ports of Services (RFC 2782), so a base name with an
// underscore is completed only to names in the cluster.
package searchpath
