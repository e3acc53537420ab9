package top

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Report is who has asked what in the last seconds.
type Report struct {
	Seconds   float64 `json:"seconds"`
	Questions uint64  `json:"questions"`
	Counted   uint64  `json:"counted"` // questions that the others are estimated from
	OneIn     uint32  `json:"oneIn"`   // 1 if all were counted
	Pods      bool    `json:"pods"`    // the Namespaces of clients are known

	Namespaces []Row `json:"namespaces"`
	Clients    []Row `json:"clients"`
	Names      []Row `json:"names"`
	Rcodes     []Row `json:"rcodes"`
}

// Row is an item of a list, which begins with those that ask or are asked most.
type Row struct {
	Item      string `json:"item"`
	Namespace string `json:"namespace,omitempty"` // of a client
	Count
}

// noPod stands for clients that are no Pods, or not for sure. No Namespace has this name.
const noPod = "-"

// Report returns who has asked what in the last ten to twenty seconds.
func (t *Tally) Report() *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.turn(now)
	one, other := &t.before, &t.recent
	return &Report{
		Seconds:   now.Sub(one.since).Seconds(),
		Questions: one.asked + other.asked,
		Counted:   one.counted + other.counted,
		OneIn:     max(one.oneIn, other.oneIn, 1),
		Pods:      one.pods || other.pods,

		Namespaces: rows(&one.namespaces, &other.namespaces, namespaceRow),
		Clients:    rows(&one.clients, &other.clients, clientRow),
		Names:      rows(&one.names, &other.names, nameRow),
		Rcodes:     rows(&one.rcodes, &other.rcodes, rcodeRow),
	}
}

// rows returns what two sketches have counted together, the highest counts first.
func rows[K comparable](one, other *sketch[K], row func(K) Row) []Row {
	list := []Row{}
	for item, count := range merge(one, other) {
		r := row(item)
		r.Count = count
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Questions, a.Questions), cmp.Compare(a.Over, b.Over), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Namespace, b.Namespace))
	})
	return list
}

func namespaceRow(namespace string) Row { return Row{Item: cmp.Or(namespace, noPod)} }

func clientRow(c client) Row { return Row{Item: c.addr.String(), Namespace: c.namespace} }

// nameRow writes a name as DNS does (RFC 1035 5.1), so that octets that cannot be printed are escaped.
func nameRow(wire string) Row {
	name, err := dnsname.ParseWire([]byte(wire))
	if err != nil {
		return Row{} // never: it is a suffix of a parsed name
	}
	return Row{Item: name.String()}
}

func rcodeRow(rcode int) Row {
	if text, ok := dns.RcodeToString[rcode]; ok {
		return Row{Item: text}
	}
	return Row{Item: fmt.Sprintf("RCODE%d", rcode)} // as RFC 3597 writes unknown types
}
