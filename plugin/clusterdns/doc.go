// Package clusterdns is a CoreDNS plugin that gives a Kubernetes cluster its DNS.
//
// It takes the place of the stock kubernetes plugin: the same directive, under that name or its
// own, answers for the Services and Pods of a cluster. The package reads the Corefile, answers in
// the plugin chain, and fits the parts together that stand in the packages under
// plugin/internal:
//
//	Corefile --parse--> config --watch--> kube.Watcher --> cluster.Store
//	question --ServeDNS--> answer.Lookup(view, snapshot) --> *dns.Msg
//
// Read setup.go first: it says what a server block is made of.
package clusterdns
