//go:build soak

package soak

import (
	"context"
	"debug/buildinfo"
	"flag"
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
	server   = flag.String("server", "../../bin/coredns-race", "the `path` of our server, built with -race or without")
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

// raced is set if the server was built with the race detector.
var raced bool

// prepare builds missing binaries while there is a network.
func prepare() error {
	for _, command := range []string{"etcd", "kube-apiserver"} {
		if _, err := controlplane.Build(context.Background(), command); err != nil {
			return err
		}
	}
	_, err := hasRace(*server)
	return err
}

// hasRace reports whether a server has the race detector.
func hasRace(path string) (bool, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return false, err
	}
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}), nil
}
