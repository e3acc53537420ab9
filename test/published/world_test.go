package published

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// zones are the zones of both servers.
var zones = []string{"example.org.", "example.net."}

// records are what a name has.
type records struct {
	addrs []netip.Addr
	alias string
	texts []string
}

// thing is an object, or several about one name, with what follows from them.
type thing struct {
	id    string // of the first object: resource, Namespace and name
	yaml  string
	kind  string // as in the property resources
	class string // of the Ingress or the Gateway
	odd   string // the entry that a question about the hosts meets; empty for none

	hosts []string // as the other looks for them: without a dot at the end, and maybe below any zone
	names []string // as ours shows them: with a dot at the end, or below any zone
	has   records
}

// world is what both servers watch.
type world struct{ things []*thing }

// shows reports whether a setting shows a thing.
func (s *setting) shows(t *thing) bool {
	if !slices.Contains(s.resources, t.kind) {
		return false
	}
	classed := t.kind == "Ingress" || strings.HasSuffix(t.kind, "Route")
	return len(s.classes) == 0 || !classed || slices.Contains(s.classes, t.class)
}

// hit returns the things that the other finds for a name: by the name, by the name without its zone,
// and by a wildcard in the place of its first label.
func (s *scene) hit(name string) (found []*thing) {
	name = strings.ToLower(name)
	zone := zoneOf(name)
	below := strings.TrimSuffix(strings.TrimSuffix(name, zone), ".")
	_, rest, _ := strings.Cut(below, ".")
	wildcard := "*"
	if rest != "" {
		wildcard += "." + rest
	}
	for _, key := range []string{strings.TrimSuffix(name, "."), below, wildcard + "." + strings.TrimSuffix(zone, "."), wildcard} {
		if key != "" {
			found = append(found, s.byHost[key]...)
		}
	}
	return found
}

// zoneOf returns the zone of a name, or nothing.
func zoneOf(name string) string {
	name = strings.ToLower(name)
	for _, zone := range zones {
		if within(name, zone) {
			return zone
		}
	}
	return ""
}

// within reports whether a name is in a zone.
func within(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

// scene is what a setting shows of the world.
type scene struct {
	*setting
	byHost map[string][]*thing
	names  map[string]*records // of ours, in full
	above  map[string]bool     // names with names below them
	byOdd  map[string][]*thing
}

func newScene(s *setting, w *world) *scene {
	sc := &scene{s, map[string][]*thing{}, map[string]*records{}, map[string]bool{}, map[string][]*thing{}}
	for _, t := range w.things {
		if !slices.Contains(s.resources, t.kind) {
			continue
		}
		sc.byOdd[t.odd] = append(sc.byOdd[t.odd], t)
		for _, host := range t.hosts {
			sc.byHost[strings.ToLower(host)] = append(sc.byHost[strings.ToLower(host)], t)
		}
		if s.shows(t) {
			for _, name := range t.names {
				sc.show(name, t.has)
			}
		}
	}
	for _, zone := range zones {
		sc.showAbove(s.server + "." + zone)
	}
	return sc
}

// show shows a name, or each of the names that one below any zone stands for.
func (s *scene) show(name string, has records) {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, ".") {
		s.add(name, has)
		return
	}
	for _, zone := range zones {
		if !within(name+".", zone) {
			s.add(name+"."+zone, has)
		}
	}
}

// add adds what a name has. Two things with one name only have what does not contradict.
func (s *scene) add(name string, has records) {
	if s.names[name] == nil {
		s.names[name] = new(records)
	}
	r := s.names[name]
	r.addrs, r.texts, r.alias = append(r.addrs, has.addrs...), append(r.texts, has.texts...), cmp.Or(r.alias, has.alias)
	s.showAbove(name)
}

func (s *scene) showAbove(name string) {
	for zone := zoneOf(name); zone != "" && name != zone; {
		_, name, _ = strings.Cut(name, ".")
		s.above[name] = true
	}
}
