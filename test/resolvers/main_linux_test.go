package resolvers

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterdns/clusterdns/test/netlab"
)

const builtServer = "../../bin/coredns"

// The addresses of the machine. A client that asks an address of its own machine uses that
// address as its own too, so the cluster's DNS has the address of the client's Pod.
var (
	dnsAddr      = netip.MustParseAddr("10.244.0.53")
	replicaAddrs = []netip.Addr{netip.MustParseAddr("10.244.1.53"), netip.MustParseAddr("10.244.2.53")}
	upstreamAddr = netip.MustParseAddr("127.0.0.54")
)

// lookupVariable makes this binary a program that looks up names with Go's resolver.
const lookupVariable = "CLUSTERDNS_TEST_LOOKUP"

func TestMain(m *testing.M) {
	if os.Getenv(lookupVariable) != "" {
		lookUpAll()
		return
	}
	flag.Parse()
	machine := netlab.Machine{
		Addrs:    append([]netip.Addr{dnsAddr}, replicaAddrs...),
		Resolver: dnsAddr,
		Prepare:  prepare,
	}
	os.Exit(machine.Run(m))
}

func prepare() error {
	binary, err := filepath.Abs(builtServer)
	if err != nil {
		return err
	}
	return netlab.BuildServer(binary)
}

// lookUpAll reads lines with a name and a family, and prints an empty line after each
// result, like the programs in testdata.
func lookUpAll() {
	for {
		var name, family string
		if _, err := fmt.Scan(&name, &family); err != nil {
			return
		}
		lookUp(name, family)
		fmt.Println()
	}
}

// lookUp prints the addresses that Go's own resolver finds.
func lookUp(name, family string) {
	network := map[string]string{"4": "ip4", "6": "ip6"}[family]
	if network == "" {
		network = "ip"
	}
	r := net.Resolver{PreferGo: true}
	addrs, err := r.LookupNetIP(context.Background(), network, name)
	if err != nil {
		fmt.Println("error:", err)
	}
	for _, addr := range addrs {
		fmt.Println(addr.Unmap())
	}
}
