package searchpath

import "bytes"

// maxName is the largest size of a name in wire form, in octets (RFC 1035 2.3.4).
const maxName = 255

// minBase is the least number of labels that a searched name has before the Namespace. A
// single label would be the name of a Service.
const minBase = 2

// svcLabel is the label between a Namespace and the zone, in wire form.
const svcLabel = "\x03svc"

// Question is a name that a stub resolver may have made by searching, from a base name and
// the suffix of its own Namespace: <base>.<namespace>.svc.<origin>.
type Question struct {
	name      []byte // wire form, lower case
	service   int    // offset of the last label of the base, which is the Service if the name is meant as it stands
	namespace int    // offset of the Namespace's label, which is also the size of the base
	svc       int    // offset of the label svc
	origin    int    // offset of the origin
	labels    int    // number of labels of the base
}

// Parse splits a name below an origin into its parts. Both are in wire form (RFC 1035 3.1)
// and in lower case; the name must not change while the question is in use. Parse reports
// false if no stub resolver can have produced the name by searching.
func Parse(name []byte, origin string) (Question, bool) {
	q := Question{name: name, origin: len(name) - len(origin)}
	if q.origin < 0 || len(name) > maxName || string(name[q.origin:]) != origin {
		return Question{}, false
	}
	at, labels := 0, 0
	for at < q.origin {
		size := int(name[at])
		if size == 0 || size > 63 || at+1+size > q.origin {
			return Question{}, false
		}
		q.service, q.namespace, q.svc = q.namespace, q.svc, at
		at, labels = at+1+size, labels+1
	}
	q.labels = labels - 2
	return q, q.labels >= minBase && string(name[q.svc:q.origin]) == svcLabel
}

// Namespace returns the label of the Namespace: the client's own, if the name was searched
// for.
func (q *Question) Namespace() []byte { return q.name[q.namespace+1 : q.svc] }

// Service returns the label that would be a Service if the name were meant as it stands.
func (q *Question) Service() []byte { return q.name[q.service+1 : q.namespace] }

// Base returns the size of the base name in wire form, without the root label.
func (q *Question) Base() int { return q.namespace }

// underscored reports whether a label of the base has an underscore. It need not skip
// length octets: the largest one, 63, is smaller than the code of an underscore.
func (q *Question) underscored() bool { return bytes.IndexByte(q.name[:q.Base()], '_') >= 0 }

// join writes the base and a suffix to the buffer. It reports false if the name is too
// long: such a name does not exist, and no resolver asks for it.
func (q *Question) join(buf *[maxName]byte, suffix string) ([]byte, bool) {
	if q.Base()+len(suffix) > maxName {
		return nil, false
	}
	n := copy(buf[:], q.name[:q.Base()])
	n += copy(buf[n:], suffix)
	return buf[:n], true
}
