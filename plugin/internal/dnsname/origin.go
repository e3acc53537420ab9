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

// Labels returns the number of labels of the origin.
func (o Origin) Labels() int { return o.labels }

// Wire returns the origin in wire form, in lower case.
func (o Origin) Wire() string { return o.folded }

// Reverse reports whether the origin is in a reverse tree (in-addr.arpa or ip6.arpa).
func (o Origin) Reverse() bool { return o.reverse }

// Encloses reports whether n is the origin or below it.
func (o *Origin) Encloses(n *Name) bool {
	return n.count >= o.labels && n.Suffix(o.labels) == o.folded
}

// Spelled returns the origin as the client spelled it in n. The origin must enclose n.
func (o *Origin) Spelled(n *Name) string { return n.text[len(n.text)-len(o.text):] }

// Below joins labels and an origin, both in presentation form. If the origin is the root,
// it only adds the final dot.
func Below(origin, labels string) string {
	if origin == "." {
		return labels + "."
	}
	return labels + "." + origin
}
