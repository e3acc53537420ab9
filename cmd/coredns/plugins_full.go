//go:build !lean

package main

// The plugins that carry the SDK of a cloud, a tracer, a second data store or a
// database format: most of the binary's size, and of no use to most clusters.
// They are linked by default, because a drop-in that refuses a Corefile is an
// outage; the tag lean leaves them out. dnssec is among them for the AWS SDK,
// with which it can read its keys from Secrets Manager.
import (
	_ "github.com/coredns/coredns/plugin/azure"
	_ "github.com/coredns/coredns/plugin/clouddns"
	_ "github.com/coredns/coredns/plugin/dnssec"
	_ "github.com/coredns/coredns/plugin/etcd"
	_ "github.com/coredns/coredns/plugin/geoip"
	_ "github.com/coredns/coredns/plugin/nomad"
	_ "github.com/coredns/coredns/plugin/route53"
	_ "github.com/coredns/coredns/plugin/trace"
)
