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
	// Taken says whether what is below a Service of the Namespace may be meant as it
	// stands: there is no such Namespace, or it has a Service of that name, with
	// endpoints or without.
	Taken(namespace, service []byte) bool
	// Status says what is known of a name.
	Status(name []byte) Status
}

// Walk goes through the elements of a search path.
//
// Every element but those that the cluster does not have is a stop: the name is
// Present, or has to be asked for. If that finds nothing, Next goes on. A walk that
// has ended has found no name at all, and the client's question is to be answered
// as if nobody completed it: the client goes on by itself, through suffixes too that
// the server does not know.
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

// askedAsIs says whether the client asked for the name as it is before it searched,
// and found nothing.
func (w *Walk) askedAsIs() bool { return w.list.ndots > 0 && w.question.labels > w.list.ndots }

// Name is the name of the element, in wire form, until the next step.
func (w *Walk) Name() []byte { return w.name }

// Status is what is known of the name.
func (w *Walk) Status() Status { return w.status }

// Suffix is the suffix of the element, and says where it comes from.
func (w *Walk) Suffix() Element { return w.list.elements[w.at] }

// Saved is the number of questions of the same type that the client need not ask if
// it is told of the name.
func (w *Walk) Saved() int { return w.at + 1 }

// Verdict is what becomes of a question that the cluster has no name for.
type Verdict uint8

// The verdicts.
const (
	Deny   Verdict = iota // it is answered as it stands
	Inside                // it is completed to Name, which the snapshot has
	Ask                   // only the whole server can tell
)

// Complete goes to the first stop of a walk. It is for those who answer from the
// snapshot alone and hand over the rest.
func (w *Walk) Complete(q Question, l *List, c Cluster) Verdict {
	switch {
	case !w.Begin(q, l, c) || !w.Next():
		return Deny
	case w.status == Present:
		return Inside
	}
	return Ask
}
