package searchpath

// Status is what a cluster knows of a name.
type Status uint8

// What there is to know.
const (
	Absent    Status = iota // it does not exist
	Present                 // it exists and can be answered from the snapshot
	Unclear                 // it is the cluster's, but only the whole server can tell
	Elsewhere               // it is not the cluster's
)

// Cluster tells which names there are. All answers for one question must be those
// of one moment. Names are in wire form and lower case, and not to be kept.
type Cluster interface {
	// Taken reports whether a name below a Service of the Namespace may be meant as it
	// stands: there is no such Namespace, or it has a Service of that name, with
	// endpoints or without.
	Taken(namespace, service []byte) bool
	// Status returns what is known of a name.
	Status(name []byte) Status
}

// Walk goes through the elements of a search path.
//
// It stops at each name that is Present or that has to be asked for. If the caller finds
// nothing there, it calls Next again. A walk that has ended has found no name at all, and the
// client's question must be answered as if nobody completed it: then the client goes on by
// itself, through suffixes too that the server does not know.
type Walk struct {
	question Question
	list     *List
	cluster  Cluster
	outside  bool // names that are not the cluster's may be asked for
	at       int  // index of the element that Name is of
	status   Status
	name     []byte
	buf      [maxName]byte
}

// Begin begins a walk through a list. It fails if the question may be meant as it
// stands. The walk keeps the question's name.
func (w *Walk) Begin(q Question, l *List, c Cluster) bool {
	if c.Taken(q.Namespace(), q.Service()) {
		return false
	}
	w.question, w.list, w.cluster, w.at = q, l, c, -1
	w.outside = false
	if q.labels < l.outside || q.underscored() {
		return true
	}
	// What is below a zone of ours is nobody else's, so such a name is not searched for
	// elsewhere. A client that does finds nothing but a wildcard's addresses.
	if base, ok := q.join(&w.buf, root); ok {
		w.outside = c.Status(base) == Elsewhere
	}
	return true
}

// Next goes to the next name that exists, or may.
func (w *Walk) Next() bool {
	for w.at++; w.at < len(w.list.elements); w.at++ {
		e := &w.list.elements[w.at]
		if e.Position == AsIs && w.askedAsIs() {
			continue
		}
		name, ok := w.question.join(&w.buf, e.Suffix)
		if !ok {
			continue
		}
		status := w.cluster.Status(name)
		if status == Present || status == Unclear || status == Elsewhere && w.outside {
			w.name, w.status = name, status
			return true
		}
	}
	return false
}

// askedAsIs reports whether the client asked for the name as it is before it searched,
// and found nothing.
func (w *Walk) askedAsIs() bool { return w.list.ndots > 0 && w.question.labels > w.list.ndots }

// Name returns the name of the element, in wire form. It is valid until the next step.
func (w *Walk) Name() []byte { return w.name }

// Status returns what is known of the name.
func (w *Walk) Status() Status { return w.status }

// Suffix returns the suffix of the element, with its place in the client's list.
func (w *Walk) Suffix() Element { return w.list.elements[w.at] }

// Saved returns the number of questions of the same type that the client saves if it is
// told of the name.
func (w *Walk) Saved() int { return w.at + 1 }

// Outcome is what becomes of a question for a name that does not exist.
type Outcome uint8

// The outcomes.
const (
	Deny   Outcome = iota // it is answered as it stands
	Inside                // it is completed to a name that the snapshot has
	Ask                   // only the whole server can tell
)
