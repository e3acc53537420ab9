package starts

import (
	"fmt"

	"github.com/clusterdns/clusterdns/test/kit/corefile"
)

// chosen is the address of ports that the kernel chooses.
const chosen = "127.0.0.1:0"

// kubeadm returns kubeadm's Corefile with more properties of the directive.
func (o Options) kubeadm(port string, properties ...string) string {
	return corefile.Kubeadm{
		Listen: ".:" + port, Health: chosen, Ready: chosen, Metrics: chosen, Upstream: o.Upstream,
		Properties: append([]string{fmt.Sprintf("kubeconfig %q", o.Cluster.Config)}, properties...),
	}.String()
}

// nodeLocal returns that of NodeLocal DNSCache, which asks the server central for the names of the cluster.
func (o Options) nodeLocal(port, central string) string {
	return corefile.NodeLocal{Port: port, Bind: "127.0.0.1", Health: chosen, Metrics: chosen, Cluster: central, Upstream: o.Upstream}.String()
}
