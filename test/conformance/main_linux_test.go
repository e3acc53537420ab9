package conformance

import (
	"context"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/netlab"
)

const builtServer = "../../bin/coredns"

var server = flag.String("server", "", "the `path` of the server to test (default bin/coredns, built anew)")

// The addresses of the server and its client in the data.
var (
	serverAddr = netip.MustParseAddr("10.244.0.53")
	clientAddr = netip.MustParseAddr("10.244.1.10")
)

// resolverAddr is the resolver in resolv.conf. Every loopback device has the address, and
// no server publishes it.
var resolverAddr = netip.MustParseAddr("127.0.0.54")

func TestMain(m *testing.M) {
	flag.Parse()
	machine := netlab.Machine{Addrs: []netip.Addr{serverAddr, clientAddr}, Resolver: resolverAddr, Prepare: prepare}
	os.Exit(machine.Run(m))
}

// prepare builds what needs a network.
func prepare() error {
	if _, err := controlplane.Build(context.Background()); err != nil {
		return err
	}
	if *server != "" {
		return nil
	}
	path, err := serverPath()
	if err != nil {
		return err
	}
	return netlab.BuildServer(path)
}

func serverPath() (string, error) {
	if *server != "" {
		return filepath.Abs(*server)
	}
	return filepath.Abs(builtServer)
}
