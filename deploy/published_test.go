package deploy

import "testing"

const publishedDir = "published"

// publishedGrants are the rights that only the plugin k8s_gateway needs.
var publishedGrants = []string{
	"list externaldns.k8s.io/dnsendpoints",
	"list gateway.networking.k8s.io/gateways",
	"list gateway.networking.k8s.io/grpcroutes",
	"list gateway.networking.k8s.io/httproutes",
	"list gateway.networking.k8s.io/listenersets",
	"list gateway.networking.k8s.io/tlsroutes",
	"list networking.k8s.io/ingresses",
	"watch externaldns.k8s.io/dnsendpoints",
	"watch gateway.networking.k8s.io/gateways",
	"watch gateway.networking.k8s.io/grpcroutes",
	"watch gateway.networking.k8s.io/httproutes",
	"watch gateway.networking.k8s.io/listenersets",
	"watch gateway.networking.k8s.io/tlsroutes",
	"watch networking.k8s.io/ingresses",
}

func TestPublishedIsBesideTheBase(t *testing.T) {
	testBesideTheBase(t, publishedDir, "coredns-published", publishedGrants)
}
