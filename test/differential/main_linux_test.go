package differential

import (
	"context"
	"flag"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/stock"
	"github.com/clusterdns/clusterdns/test/netlab"
)

var (
	least     = flag.Int("questions", 0, "the `number` of questions to ask at least (default as many as it takes to ask all there is, and a third more)")
	server    = flag.String("server", "", "the `path` of our server (default bin/coredns, built anew)")
	stockPath = flag.String("stock", "", "the `path` of stock CoreDNS (default the user's cache folder, built if it is not there)")
)

const builtServer = "../../bin/coredns"

// The addresses of the machine. The cluster knows the servers by the first one. The last
// one is link-local, in which the servers differ.
var (
	serverAddr    = netip.MustParseAddr("10.244.0.53")
	otherAddr     = netip.MustParseAddr("fd00:10:244::53")
	linkLocalAddr = netip.MustParseAddr("fe80::53")
	upstreamAddr  = netip.MustParseAddr("127.0.0.54")
)

func TestMain(m *testing.M) {
	flag.Parse()
	machine := netlab.Machine{
		Addrs:    append([]netip.Addr{serverAddr, otherAddr, linkLocalAddr}, slices.Collect(maps.Keys(podAddrs))...),
		Resolver: upstreamAddr,
		Prepare:  prepare,
	}
	os.Exit(machine.Run(m))
}

// prepare builds missing binaries while there is a network.
func prepare() error {
	for _, command := range []string{"etcd", "kube-apiserver"} {
		if _, err := controlplane.Build(context.Background(), command); err != nil {
			return err
		}
	}
	if *stockPath == "" {
		if _, err := stock.Build(); err != nil {
			return err
		}
	}
	if *server == "" {
		return buildOurs()
	}
	return nil
}

func buildOurs() error {
	binary, err := filepath.Abs(builtServer)
	if err != nil {
		return err
	}
	return netlab.BuildServer(binary)
}

// binaries returns the paths of stock and ours.
func binaries(t *testing.T) [2]string {
	t.Helper()
	paths := [2]string{*stockPath, *server}
	if paths[0] == "" {
		var err error
		if paths[0], err = stock.Build(); err != nil { // it is there: prepare has seen to it
			t.Fatal(err)
		}
	}
	if paths[1] == "" {
		paths[1] = builtServer
	}
	for i, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		paths[i] = absolute
	}
	return paths
}
