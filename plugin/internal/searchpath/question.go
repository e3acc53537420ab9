package searchpath

import "bytes"

// maxName is the longest name in wire form, in octets (RFC 1035 2.3.4).
const maxName = 255

// minBase is the least number of labels that a searched name has before the
// Namespace. One label is the name of a Service.
const minBase = 2

// svcLabel is the label between a Namespace and the zone, in wire form.
const svcLabel = "\x03svc"

// Question is a name that a stub resolver may have made of a base name and the
// suffix of its own Namespace, <base>.<namespace>.svc.<origin>.
type Question struct {
	name      []byte // wire form, lower case
	service   int    // where the last label of the base begins, which a Service would have
	namespace int    // where the Namespace's label begins: the octets of the base
	svc       int    // where the Namespace's label ends
	origin    int
	labels    int // of the base
}

// Parse takes a name apart that is in the zone of an origin. Both are in wire form
// (RFC 1035 3.1) and in lower case; the name must not change while the question is in
// use. It fails for a name that nobody can have searched for.
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

// Namespace is the Namespace that the name has. It is the client's, if the name was
// searched for.
func (q *Question) Namespace() []byte { return q.name[q.namespace+1 : q.svc] }

// Service is the Service that the name has, if it is meant as it stands.
func (q *Question) Service() []byte { return q.name[q.service+1 : q.namespace] }

// Base is the number of octets that the base name has in wire form, without the
// root at its end.
func (q *Question) Base() int { return q.namespace }

// underscored reports whether a label of the base has an underscore. No label is so long that
// the octet of its length is one.
func (q *Question) underscored() bool { return bytes.IndexByte(q.name[:q.Base()], '_') >= 0 }

// join appends the base with a suffix to an empty buffer. A name that is too long
// does not exist, nor does a resolver ask for it.
func (q *Question) join(buf *[maxName]byte, suffix string) ([]byte, bool) {
	if q.Base()+len(suffix) > maxName {
		return nil, false
	}
	n := copy(buf[:], q.name[:q.Base()])
	n += copy(buf[n:], suffix)
	return buf[:n], true
}
