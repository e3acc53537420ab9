package searchpath

// Status is what a cluster knows about a name.
type Status uint8

// The statuses.
const (
	Absent    Status = iota // the name does not exist
	Present                 // the name exists and can be answered from the snapshot
	Unclear                 // the name belongs to the cluster, but only the whole server can tell whether it exists
	Elsewhere               // the name does not belong to the cluster
)

// Cluster reports which names exist. All its answers for one question must come from one
// moment. Names are in wire form and lower case, and the implementation must not keep them.
type Cluster interface {
	// Taken reports whether a name below this Service may be meant as it stands: the
	// Namespace does not exist, or it has a Service of that name, with endpoints or
	// without.
	Taken(namespace, service []byte) bool
	// Status returns the status of a name.
	Status(name []byte) Status
}

// Walk goes through the elements of a search path.
//
// It stops at each name that is Present or that the server must look up. If the caller
// finds nothing there, it calls Next again. When Next reports false, no element led to a
// name: the caller must then answer the client's question as it stands, so that the client
// goes on searching by itself, also through suffixes that the server does not know.
type Walk struct {
	question Question
	list     *List
	cluster  Cluster
	outside  bool // names that do not belong to the cluster may be looked up
	at       int  // index of the current element
	status   Status
	name     []byte
	buf      [maxName]byte
}

// Begin begins a walk through a list. It reports false if the question may be meant as it
// stands. The walk keeps a reference to the question's name.
func (w *Walk) Begin(q Question, l *List, c Cluster) bool {
	if c.Taken(q.Namespace(), q.Service()) {
		return false
	}
	w.question, w.list, w.cluster, w.at = q, l, c, -1
	w.outside = false
	if q.labels < l.outside || q.underscored() {
		return true
	}
	// A base name below one of our own zones belongs to nobody else, so other suffixes
	// could only lead to the addresses of a wildcard record.
	if base, ok := q.join(&w.buf, root); ok {
		w.outside = c.Status(base) == Elsewhere
	}
	return true
}

// Next goes to the next name that exists or may exist. It reports false at the end.
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

// askedAsIs reports whether the client asked for the name as it is before it searched, and
// so found nothing there.
func (w *Walk) askedAsIs() bool { return w.list.ndots > 0 && w.question.labels > w.list.ndots }

// Name returns the name at the current element, in wire form. It is valid until the next
// call of Next.
func (w *Walk) Name() []byte { return w.name }

// Status returns the status of the name at the current element.
func (w *Walk) Status() Status { return w.status }

// Suffix returns the suffix of the current element and its position.
func (w *Walk) Suffix() Element { return w.list.elements[w.at] }

// Saved returns how many questions of the same type the client saves if it gets the name in
// the answer.
func (w *Walk) Saved() int { return w.at + 1 }

// Outcome is what the server does with a question for a name that does not exist.
type Outcome uint8

// The outcomes.
const (
	Deny   Outcome = iota // answer it as it stands
	Inside                // complete it to a name in the snapshot
	Ask                   // let the whole server decide
)
