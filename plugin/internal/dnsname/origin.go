package dnsname

// Origin is the name of a zone.
type Origin struct {
	text    string // presentation form, lower case, fully qualified
	folded  string
	labels  int
	reverse bool
}

// ParseOrigin parses the name of a zone.
func ParseOrigin(text string) (Origin, error) {
	n, err := Parse(text)
	if err != nil {
		return Origin{}, err
	}
	return Origin{text: spell([]byte(n.folded)), folded: n.folded, labels: n.count, reverse: n.IsReverse()}, nil
}

// String returns the origin in presentation form, in lower case.
func (o Origin) String() string { return o.text }

// InWords returns the zone as messages name it. The dot of the root zone would be read as the
// end of the sentence.
func (o Origin) InWords() string {
	if o.text == "." {
		return "the root zone"
	}
	return "the zone " + o.text
}

// Labels returns the number of labels of the origin.
func (o Origin) Labels() int { return o.labels }

// Wire returns the origin in wire form, in lower case.
func (o Origin) Wire() string { return o.folded }

// Reverse reports whether the origin is in a reverse tree (in-addr.arpa or ip6.arpa).
func (o Origin) Reverse() bool { return o.reverse }

// Encloses reports whether n is the origin or below it.
func (o *Origin) Encloses(n *Name) bool {
	return n.count >= o.labels && n.suffix(o.labels) == o.folded
}

// EnclosesOrigin reports whether another origin is the origin or below it.
func (o Origin) EnclosesOrigin(other Origin) bool {
	rest := other.folded
	for range other.labels - o.labels {
		rest = rest[1+int(rest[0]):]
	}
	return rest == o.folded
}

// Spelled returns the origin as the client spelled it in n. The origin must enclose n.
func (o *Origin) Spelled(n *Name) string { return n.text[len(n.text)-len(o.text):] }

// Zones is a set of zones, by their names.
type Zones []Origin

// ParseZones parses the names of zones. It leaves out what is no name: nothing is in such a zone.
func ParseZones(texts []string) Zones {
	var zones Zones
	for _, text := range texts {
		if o, err := ParseOrigin(text); err == nil {
			zones = append(zones, o)
		}
	}
	return zones
}

// Enclose reports whether a name is in one of the zones.
func (z Zones) Enclose(n *Name) bool { return z.Longest(n) >= 0 }

// Longest returns the number of labels of the longest zone that encloses a name, or -1.
func (z Zones) Longest(n *Name) int {
	if longest := z.Of(n); longest != nil {
		return longest.labels
	}
	return -1
}

// Of returns the longest zone that encloses a name, or nil.
func (z Zones) Of(n *Name) (longest *Origin) {
	for i := range z {
		if o := &z[i]; (longest == nil || o.labels > longest.labels) && o.Encloses(n) {
			longest = o
		}
	}
	return longest
}

// Below joins labels and an origin, both in presentation form. If the origin is the root,
// it only adds the final dot.
func Below(origin, labels string) string {
	if origin == "." {
		return labels + "."
	}
	return labels + "." + origin
}
