package zone

// Reserves says whether names below a Service may be meant as they stand: the
// Namespace does not exist or is not shown, or the Service has been heard of, with
// endpoints or without, published or not.
func (v *View) Reserves(s *Snapshot, k Key) bool {
	if !v.exposes(s, k.Namespace) {
		return true
	}
	_, known := s.services.get(k)
	return known
}
