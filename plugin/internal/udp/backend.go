package udp

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// Backend is what a listener serves. It is not changed while it is in use.
type Backend struct {
	Owner   any               // who may stop it
	Local   net.Addr          // of CoreDNS's own socket, which ours stand in for
	Zones   []Zone            // the server blocks' zones on the listener, those with most labels first; none for all to be handed over
	Handler Handler           // takes the questions that are not answered here
	Context context.Context   // that it takes them with
	Secrets map[string]string // of TSIG, by the name of the key (RFC 8945)
	Meter   ListenerMeter
}

// Handler is CoreDNS. For names outside a Block with a Cache it calls [WillBlock] before
// it waits for anything.
type Handler interface {
	ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg)
}

// Zone is a zone of a server block.
type Zone struct {
	Origin zone.Origin
	Block  *Block // nil for a block whose questions are all handed over
}

// Block is a server block whose questions may be answered here.
type Block struct {
	Store *zone.Store
	View  *zone.View
	// Elsewhere are zones of the view whose names a plugin ahead may answer for.
	Elsewhere []zone.Origin
	// Fallthrough are zones in which the next plugin may know a name that does not
	// exist here.
	Fallthrough []zone.Origin
	// Claimed says whether a plugin ahead answers for the name. It may be nil.
	Claimed func(*zone.Question) bool
	// Search completes names that do not exist. It may be nil.
	Search Searcher
	// Supported says whether a reply may have to repeat an EDNS option. It may be nil.
	Supported func(option uint16) bool

	Cache     bool   // the handler may have names outside the view at hand
	NoDenials bool   // negative answers are handed over
	NoSearch  bool   // and those to questions about names that do not exist
	Shuffle   bool   // addresses are in a random order
	MaxSize   uint16 // a bound on the size that clients say they take; 0 for none
	Meters    []ZoneMeter
}

// Searcher completes names that clients search for. It is used by many goroutines.
type Searcher interface {
	// Complete says what becomes of a client's question that a snapshot has no name
	// for, and makes target the name that it stands for, if that is in the snapshot.
	Complete(s *zone.Snapshot, client netip.Addr, q, target *zone.Question) Completion
	// MaxTTL is how long what is completed may be kept, in seconds.
	MaxTTL() uint32
}

// Completion is what a question was completed to.
type Completion struct {
	Verdict searchpath.Verdict
	Base    int // octets of the question's name that the target begins with
	Element searchpath.Element
	Saved   int // questions that the client need not ask
}

// ZoneMeter counts the answers to questions for names of a zone.
type ZoneMeter struct {
	Origin zone.Origin
	Meter  Meter
}

// Meter counts answers.
type Meter interface {
	// Answered is called once for each answer. It is safe for concurrent use.
	Answered(*Answered)
}

// Answered is what there is to count of an answer.
type Answered struct {
	Result zone.Result
	Kind   zone.NameKind
	Type   uint16
	IPv6   bool // the client's address is one
	DO     bool // the client wants DNSSEC records (RFC 3225)
	Size   int  // of the answer in octets, as the handler's (zone.Wire.Plain)
	Asked  int  // of the question's message in octets
	Took   time.Duration

	// Completion is what the question was completed to, zero if it was not.
	Completion Completion
}

// ListenerMeter counts what a listener does.
type ListenerMeter interface {
	Answered(n int)   // questions that were answered here
	HandedOver(n int) // questions that CoreDNS was given
	Dropped(n int)    // questions given up under overload
	Lost(n int)       // packets that the kernel dropped, since our socket's buffer was full
	Ignored(n int)    // packets that are no questions
	Misrouted()       // a packet that came to CoreDNS's own socket
	Panicked()        // answering a question panicked; CoreDNS was given it
	GivenUp()         // the sockets are closed for good
}

// route is the server block that a question belongs to, or nil for CoreDNS. The
// most specific zone decides.
func (s *Backend) route(q *zone.Question) *Block {
	for i := range s.Zones {
		if s.Zones[i].Origin.Encloses(q.Name()) {
			return s.Zones[i].Block
		}
	}
	return nil
}

func (b *Block) meter(q *zone.Question) Meter {
	for i := range b.Meters {
		if b.Meters[i].Origin.Encloses(q.Name()) {
			return b.Meters[i].Meter
		}
	}
	return nil
}

// handsOver says whether an answer is another plugin's to give.
func (b *Block) handsOver(q *zone.Question, r zone.Result) bool {
	switch {
	case r == zone.Success:
		return false
	case b.NoDenials:
		return true
	case r != zone.NXDomain:
		return false
	}
	return b.NoSearch || holdsAny(b.Fallthrough, q)
}

// handOver is how CoreDNS is given a question.
func (b *Block) handOver(q *zone.Question) Verdict {
	if b.Cache && !zone.MetaType(q.Type) && !holdsAny(b.View.Origins, q) {
		return Outside
	}
	return HandOver
}

func holdsAny(origins []zone.Origin, q *zone.Question) bool {
	for i := range origins {
		if origins[i].Encloses(q.Name()) {
			return true
		}
	}
	return false
}
