// Package zone places names in the zones that they are shown in. Keys are those of cluster.Txn.Publish.
package zone

import (
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Zones are those that names are shown in.
type Zones []dnsname.Origin

// Parse parses the names of zones, with commas between them.
func Parse(text string) Zones {
	if text == "" {
		return nil
	}
	return Zones(dnsname.ParseZones(strings.Split(text, ",")))
}

// Of returns the longest zone that encloses the name of a key, or nil.
func (z Zones) Of(key string) (longest *dnsname.Origin) {
	n, err := dnsname.ParseWire([]byte(key))
	if err != nil {
		return nil
	}
	for i := range z {
		if o := &z[i]; o.Encloses(&n) && (longest == nil || o.Labels() > longest.Labels()) {
			longest = o
		}
	}
	return longest
}

// Below returns the keys of a name below each zone, without those that are too long or in a longer zone.
func (z Zones) Below(key string) (keys []string) {
	for i := range z {
		if full := below(key, &z[i]); z.Of(full) == &z[i] {
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
	for i := range z {
		if o := &z[i]; o.Encloses(&n) {
			keys = append(keys, key)
		} else if full := below(key, o); z.Of(full) == o {
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

// In returns them by the keys of their names below each zone.
func (s Servers) In(z Zones) map[string]cluster.Key {
	all := map[string]cluster.Key{}
	for server := range strings.SplitSeq(string(s), ",") {
		name, namespace, ok := strings.Cut(server, ".")
		n, err := dnsname.Parse(server)
		if !ok || err != nil {
			continue
		}
		for _, key := range z.Below(n.Wire()) {
			all[key] = cluster.Key{Namespace: namespace, Name: name}
		}
	}
	return all
}
