// Package documents tests what is published for those who run the server.
//
// Every Corefile that README, the plugin pages, CHANGELOG and doc/ mark as corefile, that
// of the demo and that of the deployment are started as they are, with bin/coredns, a real
// API server and what a server has inside a cluster, on a machine of package netlab. A block
// that looks like a Corefile must be marked. The questions that README asks the demo are
// asked, and get what the comments beside them say.
//
//	go test -v ./test/documents
//	go test ./test/documents -server /usr/local/bin/coredns   # some other server
package documents
