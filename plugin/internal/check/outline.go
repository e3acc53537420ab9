package check

import "slices"

// Outline is what a Corefile says, for those who compare it with a cluster.
type Outline struct{ text *text }

// Outlined reads a Corefile as CoreDNS does, without setting up a plugin.
func Outlined(path string, body []byte) (*Outline, error) {
	t, err := readText(path, body)
	if err != nil {
		return nil, err
	}
	return &Outline{t}, nil
}

// Zones returns the cluster's zones but for reverse zones.
func (o *Outline) Zones() (zones []string) {
	for _, b := range o.text.blocks {
		for _, zone := range b.forwardOrigins() {
			if !slices.Contains(zones, zone) {
				zones = append(zones, zone)
			}
		}
	}
	return zones
}

// Lines returns the arguments of each use of a plugin or, with the name of a property, those of each such line in
// it. The cluster's plugin is known by both of its names.
func (o *Outline) Lines(name, property string) (all [][]string) {
	for _, b := range o.text.blocks {
		for _, d := range b.uses(name) {
			if property == "" {
				all = append(all, d.args)
				continue
			}
			for _, l := range d.properties {
				if l.words[0] == property {
					all = append(all, l.arguments())
				}
			}
		}
	}
	return all
}

// uses returns the directives of a plugin.
func (b *block) uses(name string) []*directive {
	if name == "kubernetes" {
		return slices.Concat(b.directives["kubernetes"], b.directives["clusterdns"])
	}
	return b.directives[name]
}
