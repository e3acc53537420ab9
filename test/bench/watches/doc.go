// Package watches measures what an API server does for a DNS server on every node: events and
// octets that each node gets, and CPU time and memory of the API server.
//
// Nodes are clients in this process, each with a connection of its own and the watches that a
// server of that kind keeps. They decode nothing, so that the machine holds many. They begin
// at the present state: lists at the start of a server are not measured.
//
// Meanwhile the EndpointSlices of ordinary Services change, as those of Deployments do. The
// clients, the API server and etcd share the machine, so the number of nodes of a kind rises
// only as long as every node gets every event in time.
package watches
