package kubeadm

import (
	"context"
	"flag"
	"net/netip"
	"os"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// nodeAddr is the address of the node.
var nodeAddr = netip.MustParseAddr("192.0.2.10")

func TestMain(m *testing.M) {
	flag.Parse()
	machine := netlab.Machine{Addrs: []netip.Addr{nodeAddr}, Resolver: nodeAddr, Prepare: func() error {
		_, err := controlplane.Build(context.Background(), "etcd", "kube-apiserver", "kubeadm")
		return err
	}}
	os.Exit(machine.Run(m))
}
