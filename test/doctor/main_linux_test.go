package doctor

import (
	"context"
	"flag"
	"log"
	"net/netip"
	"os"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	"github.com/clusterdns/clusterdns/cmd/coredns/bundle"
	_ "github.com/clusterdns/clusterdns/plugin/kubernetes"
	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// serverVariable is set in the processes of this binary that are servers.
const serverVariable = "CLUSTERDNS_TEST_SERVER"

// The addresses of the machine.
var (
	oneAddr      = netip.MustParseAddr("10.244.0.2")
	otherAddr    = netip.MustParseAddr("10.244.0.3")
	kubeletAddr  = netip.MustParseAddr("10.244.0.9")
	upstreamAddr = netip.MustParseAddr("10.244.0.53")
)

func TestMain(m *testing.M) {
	if err := dnsserver.SetDirectives(bundle.Directives); err != nil {
		log.Fatal(err)
	}
	if os.Getenv(serverVariable) != "" {
		coremain.Run()
		return
	}
	flag.Parse()
	machine := netlab.Machine{Addrs: []netip.Addr{oneAddr, otherAddr, kubeletAddr, upstreamAddr}, Resolver: upstreamAddr, Prepare: prepare}
	os.Exit(machine.Run(m))
}

// prepare builds what needs a network.
func prepare() error {
	_, err := controlplane.Build(context.Background(), "etcd", "kube-apiserver")
	return err
}
