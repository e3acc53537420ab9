// Package clusterdns is a CoreDNS plugin that provides the DNS of a Kubernetes cluster.
//
// It takes the place of the stock kubernetes plugin: the same directive, under that name or
// its own, answers for the Services and Pods of a cluster. The package parses the Corefile,
// answers in the plugin chain, and connects the packages under plugin/internal:
//
//	Corefile --parse--> config --watch--> kube.Watcher --> cluster.Store
//	question --ServeDNS--> answer.Lookup(view, snapshot) --> *dns.Msg
//
// Read setup.go first: it shows the parts of a server block.
//
// The rule not to break: a Corefile and a question that stock CoreDNS accepts get the same
// result here; doc/differences.md lists the exceptions.
package clusterdns
