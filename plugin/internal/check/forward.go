package check

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/miekg/dns"
)

// usualServices are the addresses that distributions give to the Service of the cluster's DNS: those of
// kubeadm, k3s, EKS (two), AKS and MicroK8s.
var usualServices = []netip.Addr{
	netip.AddrFrom4([4]byte{10, 96, 0, 10}), netip.AddrFrom4([4]byte{10, 43, 0, 10}), netip.AddrFrom4([4]byte{10, 100, 0, 10}),
	netip.AddrFrom4([4]byte{172, 20, 0, 10}), netip.AddrFrom4([4]byte{10, 0, 0, 10}), netip.AddrFrom4([4]byte{10, 152, 183, 10}),
}

// usual is what such an address is, as far as nobody says which one the Service has.
const usual = "the usual address of the Service of the cluster's DNS"

// stubs are the addresses of systemd-resolved.
var stubs = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 53}), netip.AddrFrom4([4]byte{127, 0, 0, 54})}

// forwards: upstreams that lead back to this server.
func (c *judge) forwards(b *block) (found []Finding) {
	for _, d := range b.directives["forward"] {
		found = append(found, d.mixed(Warning, "This line", d.args[min(1, len(d.args)):])...)
		for _, to := range d.args[min(1, len(d.args)):] {
			if file := c.resolvConf(b, to); file != "" {
				found = append(found, c.forwardsByFile(b, d, file)...)
				continue
			}
			if why, severity := c.leadsBack(b, to, "53"); why != "" {
				if why == usual && d.args[0] != "." { // the resolver of a company may have it too
					severity = Note
				}
				found = append(found, d.finding(severity, "forward-back",
					fmt.Sprintf("%s is %s, so questions go round%s.", to, why, loopEnds(b)),
					"The address of a resolver outside the cluster, or /etc/resolv.conf with dnsPolicy: Default."))
			}
		}
	}
	return found
}

// loopEnds says what becomes of a loop.
func loopEnds(b *block) string {
	if b.first("loop") != nil {
		return ", and the plugin loop stops the server as soon as it has found that out"
	}
	return " until the memory is used up"
}

// resolvConf returns the path of an upstream that is a file, or "".
func (c *judge) resolvConf(b *block, to string) string {
	path := to
	if root := b.first("root"); root != nil && len(root.args) > 0 && !filepath.IsAbs(path) {
		path = filepath.Join(root.args[0], path)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return path
	}
	return ""
}

// forwardsByFile looks at the file that is there now. The server's Pod may have another.
func (c *judge) forwardsByFile(b *block, d *directive, file string) (found []Finding) {
	conf, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return nil
	}
	found = d.mixed(Note, file+" on this machine", conf.Servers)
	for _, server := range conf.Servers {
		if why, _ := c.leadsBack(b, server, conf.Port); why != "" {
			found = append(found, d.finding(Note, "forward-back",
				fmt.Sprintf("%s has the nameserver %s on this machine, which is %s: in a Pod with the same file questions go round%s.", file, server, why, loopEnds(b)),
				"The address of a resolver outside the cluster, or another resolv.conf for kubelet (resolvConf, often /run/systemd/resolve/resolv.conf)."))
		}
	}
	return found
}

// leadsBack returns what an upstream is if it is this server, or "", and how sure that is.
func (c *judge) leadsBack(b *block, to, port string) (why string, severity Severity) {
	protocol, address := parse.Transport(to)
	if protocol != "dns" {
		return "", ""
	}
	addr, port, err := splitPort(address, port)
	if err != nil {
		return "", ""
	}
	own := b.port
	if own == "" {
		own = "53"
	}
	bound := b.first("bind")
	switch {
	case slices.Contains(c.Services, addr) && port == "53":
		return "the address of this server's own Service", Warning
	case bound != nil && port == own && slices.Contains(bound.args, addr.String()):
		return "an address that this server block is bound to", Warning
	case addr.IsLoopback() && port == own && bound == nil && slices.Contains(stubs, addr):
		return "this server itself, unless systemd-resolved listens there too (hostNetwork)", Note
	case addr.IsLoopback() && port == own && bound == nil:
		return "this server itself", Warning
	case len(c.Services) == 0 && slices.Contains(usualServices, addr) && port == "53" && c.servesCluster():
		return usual, Warning
	}
	return "", ""
}

// splitPort splits the address of an upstream. port is what it has if it names none.
func splitPort(address, port string) (netip.Addr, string, error) {
	if addr, err := netip.ParseAddr(address); err == nil {
		return addr, port, nil
	}
	at, err := netip.ParseAddrPort(address)
	return at.Addr(), fmt.Sprint(at.Port()), err
}

func (c *judge) servesCluster() bool {
	return slices.ContainsFunc(c.text.blocks, func(b *block) bool { return b.cluster() != nil })
}

// publicResolvers are addresses of resolvers that everybody may ask, and that know no private names.
var publicResolvers = func() (all []netip.Addr) {
	for text := range strings.FieldsSeq(`8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 114.114.114.114 223.5.5.5
		223.6.6.6 119.29.29.29 2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2620:fe::fe 2620:fe::9`) {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}()

// mixed: a private resolver beside a public one. People expect the second one to be asked if the first denies a name.
func (d *directive) mixed(severity Severity, where string, servers []string) []Finding {
	policy, failover := d.property("policy"), d.property("failover")
	inTurn := policy != nil && slices.Contains(policy.words, "sequential")
	if inTurn || failover != nil && slices.Contains(failover.words, "NXDOMAIN") {
		return nil
	}
	var public, private string
	for _, server := range servers {
		_, address := parse.Transport(server)
		addr, _, err := splitPort(address, "")
		switch {
		case err != nil:
		case slices.Contains(publicResolvers, addr):
			public = addr.String()
		case addr.IsPrivate():
			private = addr.String()
		}
	}
	if public == "" || private == "" {
		return nil
	}
	return []Finding{d.finding(severity, "mixed-upstreams",
		fmt.Sprintf("%s has the public resolver %s and the private one %s. Each question goes to one of them, by chance, and what it denies no other is asked: names that only one has are there now and then.", where, public, private),
		"A forward with the private resolver for each private zone, and the public one for all else. If the private one knows public names too: policy sequential, with it first.")}
}
