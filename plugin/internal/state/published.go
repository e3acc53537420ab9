package state

import (
	"maps"
	"math"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// published writes the published names. What many of them have is written once.
func (w *writer) published(s *cluster.Snapshot) {
	w.flag(s.NamesSynced())
	var different []string // what names have, as written
	positions := map[string]int{}
	var names writer
	all := s.AllPublished()
	names.count(len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var has writer
		has.has(all[name])
		position, known := positions[string(has.data)]
		if !known {
			position = len(different)
			positions[string(has.data)] = position
			different = append(different, string(has.data))
		}
		names.text(name)
		names.count(position)
	}
	w.count(len(different))
	for _, text := range different {
		w.data = append(w.data, text...)
	}
	w.data = append(w.data, names.data...)
}

// has writes what a name has.
func (w *writer) has(p *cluster.Published) {
	w.addrs(p.Addrs)
	w.text(p.Alias)
	w.count(len(p.Records))
	for _, r := range p.Records {
		w.number(uint64(r.Type))
		w.text(r.Data)
	}
}

// published reads the published names.
func (d *decoder) published() {
	if d.flag() {
		d.txn.SetNamesSynced()
	}
	different := list(&d.reader, d.has)
	before := ""
	for range d.count() {
		name, position := d.text(maxText), int(d.number(math.MaxInt32))
		if name <= before || position >= len(different) || !isKey(name) {
			d.fail() // each comes once, in order
			return
		}
		d.txn.Publish(name, different[position])
		before = name
	}
}

func (d *decoder) has() *cluster.Published {
	p := &cluster.Published{Addrs: d.addrs(), Alias: d.text(maxText)}
	p.Records = list(&d.reader, func() cluster.Record {
		r := cluster.Record{Type: uint16(d.number(math.MaxUint16)), Data: d.text(math.MaxUint16)}
		if !isData(r) {
			d.fail()
		}
		return r
	})
	if !isTarget(p.Alias) || p.Alias != "" && len(p.Addrs)+len(p.Records) > 0 {
		d.fail()
	}
	return p
}

// isKey reports whether a text is the key of a published name: in wire form and lower case.
func isKey(text string) bool { return len(text) > 1 && isWire(text) }

// isData reports whether the data of a record is of its type.
func isData(r cluster.Record) bool {
	switch r.Type {
	case cluster.TypeTXT:
		return r.Data != "" && areStrings(r.Data)
	case cluster.TypeNS, cluster.TypePTR, cluster.TypeMX, cluster.TypeSRV, cluster.TypeNAPTR:
		return hasForm(r.Data, cluster.FormOf(r.Type))
	}
	return false
}

// hasForm reports whether data has numbers and texts, and then a name.
func hasForm(data string, f cluster.Form) bool {
	if len(data) < 2*f.Numbers {
		return false
	}
	data = data[2*f.Numbers:]
	for range f.Texts {
		if data == "" || len(data) < 1+int(data[0]) {
			return false
		}
		data = data[1+int(data[0]):]
	}
	return isWire(data)
}

// areStrings reports whether data is a list of character-strings (RFC 1035 3.3).
func areStrings(data string) bool {
	for len(data) > 0 {
		end := 1 + int(data[0])
		if end > len(data) {
			return false
		}
		data = data[end:]
	}
	return true
}
