package coredns

import (
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
)

// KnowGateway makes Corefiles accept the directive k8s_gateway, in the place that our build gives it.
// A list of directives of stock CoreDNS does not have it.
func KnowGateway() {
	const ours, next = "k8s_gateway", "kubernetes"
	if !slices.Contains(dnsserver.Directives, ours) {
		dnsserver.Directives = slices.Insert(dnsserver.Directives, slices.Index(dnsserver.Directives, next), ours)
	}
}
