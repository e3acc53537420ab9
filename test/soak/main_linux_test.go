//go:build soak

package soak

import (
	"context"
	"debug/buildinfo"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/netlab"
)

var (
	server   = flag.String("server", "../../bin/coredns-race", "the `path` of our server, built with -race")
	duration = flag.Duration("time", 10*time.Minute, "how long to ask")
)

// The addresses of the machine.
var (
	serverAddr   = netip.MustParseAddr("10.244.0.53")
	otherAddr    = netip.MustParseAddr("fd00:10:244::53")
	upstreamAddr = netip.MustParseAddr("127.0.0.54")
)

func TestMain(m *testing.M) {
	flag.Parse()
	machine := netlab.Machine{Addrs: []netip.Addr{serverAddr, otherAddr}, Resolver: upstreamAddr, Prepare: prepare}
	os.Exit(machine.Run(m))
}

// prepare builds missing binaries while there is a network.
func prepare() error {
	for _, command := range []string{"etcd", "kube-apiserver"} {
		if _, err := controlplane.Build(context.Background(), command); err != nil {
			return err
		}
	}
	return checkRace(*server)
}

// checkRace returns an error if the server has no race detector.
func checkRace(path string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	if !slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return fmt.Errorf("%s is not built with -race", path)
	}
	return nil
}
