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
	// HostSearch is the search path of the node's resolv.conf, which kubelet adds to
	// that of each Pod.
	HostSearch = "lab.example"
	// HostName is a name in the hosts file of each node.
	HostName = "registry.lab.example"
	// HostAddress is its address.
	HostAddress = "192.0.2.99"

	// device is the network device of each node.
	device = "eth0"
	// cable is the other end of the first node's device. It stays in the namespace, so that
	// nothing leaves, or becomes the device of the second node.
	cable = "nowhere"
)

// networkSettings are settings of the node's network namespace only.
var networkSettings = map[string]string{
	"net/ipv4/ip_forward":                  "1",
	"net/ipv6/conf/all/forwarding":         "1",
	"net/bridge/bridge-nf-call-iptables":   "1", // otherwise kube-proxy does not see the traffic between Pods
	"net/bridge/bridge-nf-call-ip6tables":  "1",
	"net/netfilter/nf_conntrack_tcp_loose": "1",
}

// makeNetwork makes the network of the first node.
func (m machine) makeNetwork() error {
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: device}, PeerName: cable}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("making %s: %w", device, err)
	}
	end, err := netlink.LinkByName(cable)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(end); err != nil {
		return err
	}
	return m.configureNetwork()
}

// configureNetwork configures the network of a node that has its device.
func (m machine) configureNetwork() error {
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
	eth0, err := m.startDevice()
	if err != nil {
		return fmt.Errorf("starting %s: %w", device, err)
	}
	return m.addRoutes(eth0)
}

func (m machine) startDevice() (netlink.Link, error) {
	eth0, err := netlink.LinkByName(device)
	if err != nil {
		return nil, err
	}
	if err := netlink.LinkSetUp(eth0); err != nil {
		return nil, err
	}
	for _, prefix := range []string{m.address() + "/24", m.addressV6() + "/64"} {
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

// addRoutes makes Services reachable from the node itself, because the kernel looks the
// route up before kube-proxy's tables translate the address, and the Pods of other nodes.
func (m machine) addRoutes(eth0 netlink.Link) error {
	gateways := map[string]string{controlplane.ServiceCIDRv4: "", controlplane.ServiceCIDRv6: ""}
	for _, other := range m.others() {
		v4, v6 := other.podRange()
		gateways[v4], gateways[v6] = other.address(), other.addressV6()
	}
	for cidr, gateway := range gateways {
		_, network, err := net.ParseCIDR(cidr)
		if err != nil {
			return err
		}
		route := &netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: network, Gw: net.ParseIP(gateway)}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("adding route to %s: %w", cidr, err)
		}
	}
	return nil
}
