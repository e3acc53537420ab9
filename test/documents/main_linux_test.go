package documents

import (
	"context"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterdns/clusterdns/test/conformance/cases"
	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/netlab"
	"github.com/miekg/dns"
)

const builtServer = "../../bin/coredns"

var server = flag.String("server", "", "the `path` of the server to test (default bin/coredns, built anew)")

// The address of the server, so that it has one beyond the loopback device's.
var serverAddr = netip.MustParseAddr("10.244.0.53")

// resolverAddr is the resolver in resolv.conf. Every loopback device has the address, and
// no server publishes it.
var resolverAddr = netip.MustParseAddr("127.0.0.54")

func TestMain(m *testing.M) {
	flag.Parse()
	machine := netlab.Machine{Addrs: []netip.Addr{serverAddr}, Resolver: resolverAddr, Prepare: prepare}
	os.Exit(machine.Run(m))
}

// prepare builds what needs a network.
func prepare() error {
	if _, err := controlplane.Build(context.Background()); err != nil || *server != "" {
		return err
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

// startCluster starts an API server with the rights that kubeadm grants, and returns the
// environment of a server inside.
func startCluster(t *testing.T) (env []string) {
	t.Helper()
	c := controlplane.StartTest(t, controlplane.Options{})
	if err := c.Apply(t.Context(), []byte(readText(t, "deploy/kubernetes/rbac.yaml"))); err != nil {
		t.Fatal(err)
	}
	return netlab.MountAccount(t, c, "kube-system", "coredns")
}

// startServer runs the server in the repository's root until the test ends.
func startServer(t *testing.T, corefile string, env []string) *netlab.Process {
	t.Helper()
	path, err := serverPath()
	if err != nil {
		t.Fatal(err)
	}
	return netlab.StartServer(t, netlab.Server{Binary: path, Corefile: corefile, Dir: root, Env: env, Complaint: netlab.Complaint})
}

func newUpstream(t *testing.T, zonefile string) dns.Handler {
	t.Helper()
	u, err := cases.NewUpstream(zonefile)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
