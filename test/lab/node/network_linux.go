package node

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/vishvananda/netlink"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

const (
	// Address is the address of the node, and of the upstream server that the cluster's DNS
	// forwards to.
	Address = "172.30.0.2"
	// AddressV6 is the IPv6 address of the node.
	AddressV6 = "fd00:172:30::2"
	// HostSearch is the search path of the node's resolv.conf, which kubelet adds to
	// that of each Pod.
	HostSearch = "lab.example"

	podRangeV4 = "10.244.0.0/24"
	podRangeV6 = "fd00:10:244::/64"
)

// networkSettings are settings of the node's network namespace only.
var networkSettings = map[string]string{
	"net/ipv4/ip_forward":                  "1",
	"net/ipv6/conf/all/forwarding":         "1",
	"net/bridge/bridge-nf-call-iptables":   "1", // otherwise kube-proxy does not see the traffic between Pods
	"net/bridge/bridge-nf-call-ip6tables":  "1",
	"net/netfilter/nf_conntrack_tcp_loose": "1",
}

func makeNetwork() error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return fmt.Errorf("starting the loopback device: %w", err)
	}
	for name, value := range networkSettings {
		if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644); err != nil {
			return err
		}
	}
	eth0, err := makeDevice()
	if err != nil {
		return fmt.Errorf("making eth0: %w", err)
	}
	return addServiceRoutes(eth0)
}

// makeDevice makes the node's network device. Its other end stays in the namespace, so that
// nothing leaves.
func makeDevice() (netlink.Link, error) {
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "nowhere"}
	if err := netlink.LinkAdd(pair); err != nil {
		return nil, err
	}
	for _, name := range []string{"eth0", "nowhere"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return nil, err
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return nil, err
		}
	}
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return nil, err
	}
	for _, prefix := range []string{Address + "/24", AddressV6 + "/64"} {
		addr, err := netlink.ParseAddr(prefix)
		if err != nil {
			return nil, err
		}
		addr.Flags = syscall.IFA_F_NODAD // the address must be usable at once
		if err := netlink.AddrAdd(eth0, addr); err != nil {
			return nil, err
		}
	}
	return eth0, nil
}

// addServiceRoutes makes Services reachable from the node itself: the kernel looks the
// route up before kube-proxy's tables translate the address.
func addServiceRoutes(eth0 netlink.Link) error {
	for _, cidr := range []string{controlplane.ServiceCIDRv4, controlplane.ServiceCIDRv6} {
		_, network, err := net.ParseCIDR(cidr)
		if err != nil {
			return err
		}
		route := &netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: network}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("adding route to %s: %w", cidr, err)
		}
	}
	return nil
}
