// Package state keeps a snapshot of a cluster in a file, so that a server can answer when it
// starts without its API server. It has the objects as package cluster has them: no Kubernetes,
// no log, no clock.
//
// A file is a line of text with the version of the format, the SHA-256 of the rest, and the rest:
//
//	clusterdns state 3
//	sum  [32]byte
//	Header: cluster, watched, published, heard, serial
//	Namespaces: count, names
//	Services, then ServiceImports: count, nodes: key, Service if there is one, slices
//	Pods: count, Pods
//	Published: whether the names are whole; count, what names have;
//	  count, names, each with the position of what it has
//
// Numbers are varints. A text is its length and its octets. Lists are their length and their
// items. Names are in order, each once.
//
// The sum detects damage, not forgery: whoever can write the file can make the server answer what
// they like. The rule not to break: no file may make the reader panic, or take more memory than a
// multiple of the file's size.
package state
