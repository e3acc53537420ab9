// Package zone places names in the zones that they are shown in. Keys are those of cluster.Txn.Publish.
package zone

import (
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Zones are those that names are shown in.
type Zones struct {
	own, except dnsname.Zones
}

// Parse parses the names of zones, and of those whose names others have, with commas between them.
func Parse(own, except string) Zones { return Zones{parse(own), parse(except)} }

func parse(text string) dnsname.Zones {
	if text == "" {
		return nil
	}
	return dnsname.ParseZones(strings.Split(text, ","))
}

// Of returns the longest zone that encloses the name of a key. It returns nil if there is none, or if a zone of
// others that encloses it is as long.
func (z Zones) Of(key string) *dnsname.Origin {
	n, err := dnsname.ParseWire([]byte(key))
	if err != nil {
		return nil
	}
	longest := z.own.Of(&n)
	if longest != nil && z.except.Longest(&n) >= longest.Labels() {
		return nil
	}
	return longest
}

// Below returns the keys of a name below each zone, without those that are too long.
func (z Zones) Below(key string) (keys []string) {
	for i := range z.own {
		if full := below(key, &z.own[i]); z.Of(full) != nil {
			keys = append(keys, full)
		}
	}
	return keys
}

func below(key string, o *dnsname.Origin) string { return strings.TrimSuffix(key, "\x00") + o.Wire() }

// InOrBelow returns the key itself if its name is in a zone, and those of the name below each zone that does
// not enclose it, as the plugin k8s_gateway of others has it.
func (z Zones) InOrBelow(key string) (keys []string) {
	n, err := dnsname.ParseWire([]byte(key))
	if err != nil {
		return nil
	}
	for i := range z.own {
		full := key
		if !z.own[i].Encloses(&n) {
			full = below(key, &z.own[i])
		}
		if z.Of(full) != nil {
			keys = append(keys, full)
		}
	}
	return keys
}

// Servers are the Services that are the zones' name servers: <service>.<namespace>, with commas between them.
type Servers string

// Has reports whether a Service is among them.
func (s Servers) Has(k cluster.Key) bool {
	return slices.Contains(strings.Split(string(s), ","), k.Name+"."+k.Namespace)
}

// In returns the keys of their names below each zone, with the Namespaces that they are in.
func (s Servers) In(z Zones) map[string]string {
	all := map[string]string{}
	for server := range strings.SplitSeq(string(s), ",") {
		_, namespace, ok := strings.Cut(server, ".")
		n, err := dnsname.Parse(server)
		if !ok || err != nil {
			continue
		}
		for _, key := range z.Below(n.Wire()) {
			all[key] = namespace
		}
	}
	return all
}
