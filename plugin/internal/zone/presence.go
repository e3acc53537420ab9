package zone

import "github.com/clusterdns/clusterdns/plugin/internal/dnsname"

// Exists says whether a name in one of the origins exists, whatever it has.
func (v *View) Exists(s *Snapshot, n *dnsname.Name) bool {
	o := v.origin(n)
	return o != nil && v.locate(s, n, o).kind != nowhere
}

// Reserves says whether names below a Service may be meant as they stand: the
// Namespace does not exist or is not shown, or the Service has been heard of, with
// endpoints or without, published or not.
func (v *View) Reserves(s *Snapshot, k Key) bool {
	if !v.exposes(s, k.Namespace) {
		return true
	}
	_, known := s.services.Get(k)
	return known
}
