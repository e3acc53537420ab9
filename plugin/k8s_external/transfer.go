package external

import "github.com/miekg/dns"

// Transfer is for the transfer plugin, which finds it by its form.
func (e *External) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	return e.cluster.Primary().Transfer(&e.view, name, serial)
}
