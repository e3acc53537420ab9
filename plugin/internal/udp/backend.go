package udp

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// Backend is what one instance of CoreDNS serves at a listener. It does not change while a
// listener uses it.
type Backend struct {
	Owner   any               // the instance, which may stop it
	Local   net.Addr          // address of CoreDNS's own socket, which plugins are told
	Zones   []Zone            // of all server blocks on the listener, those with most labels first; none if CoreDNS answers all
	Handler Handler           // answers the questions that we do not
	Context context.Context   // passed to Handler
	Secrets map[string]string // TSIG secrets by the name of the key (RFC 8945)
	Meter   ListenerMeter
}

// Handler is CoreDNS. For a name outside the view of a [Block] with a Cache it must call
// [WillBlock] before it waits for anything.
type Handler interface {
	ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg)
}

// Zone is a zone of a server block.
type Zone struct {
	Origin resolve.Origin
	Block  *Block // nil if CoreDNS answers all questions of the server block
}

// Block is a server block whose questions our sockets may answer.
type Block struct {
	Store *cluster.Store
	View  *resolve.View
	// Elsewhere are zones of the view whose names a plugin ahead may answer for.
	Elsewhere []resolve.Origin
	// Fallthrough are zones in which the next plugin may know a name that does not
	// exist here.
	Fallthrough []resolve.Origin
	// Claimed reports whether a plugin ahead answers for the name. It may be nil.
	Claimed func(*answer.Question) bool
	// Search completes names that do not exist. It may be nil.
	Search Searcher
	// Supported reports whether a reply may have to repeat an EDNS option. It may be nil.
	Supported func(option uint16) bool

	Cache     bool   // the handler has a cache for names outside the view
	NoDenials bool   // CoreDNS gives negative answers
	NoSearch  bool   // CoreDNS answers for names that do not exist
	Shuffle   bool   // addresses are given in random order
	MaxSize   uint16 // longest reply, whatever the client accepts; 0 for no limit
	Meters    []ZoneMeter
}

// Searcher completes names that clients search for. It is safe for concurrent use.
type Searcher interface {
	// Complete decides what becomes of a question for a name that does not exist. If the
	// name that it stands for is in the snapshot, Complete sets target to it.
	Complete(s *cluster.Snapshot, client netip.Addr, q, target *answer.Question) Completion
	// MaxTTL bounds the TTL of completed answers, in seconds.
	MaxTTL() uint32
}

// Completion says what a searched name was completed to.
type Completion struct {
	Outcome searchpath.Outcome
	Base    int // number of octets that the names of question and target have in common at the beginning
	Element searchpath.Element
	Saved   int // number of questions that the client need not ask any more
}

// ZoneMeter counts the answers to questions for names of a zone.
type ZoneMeter struct {
	Origin resolve.Origin
	Meter  Meter
}

// Meter counts answers.
type Meter interface {
	// Answered counts one answer. It must be safe for concurrent use.
	Answered(*Answered)
}

// Answered describes one answer to a Meter.
type Answered struct {
	Result resolve.Result
	Kind   resolve.NameKind
	Type   uint16
	IPv6   bool // whether the client has an IPv6 address
	DO     bool // whether the client wants DNSSEC records (RFC 3225)
	Size   int  // of the answer in octets, as the handler's (answer.Encoded.Plain)
	Asked  int  // size of the question in octets
	Took   time.Duration

	// Completion is the zero value unless the name was completed.
	Completion Completion
}

// ListenerMeter counts what a listener does.
type ListenerMeter interface {
	Answered(n int)   // questions answered by our sockets
	HandedOver(n int) // questions given to CoreDNS
	Dropped(n int)    // questions discarded under overload
	Lost(n int)       // packets that the kernel dropped because a socket's buffer was full
	Ignored(n int)    // packets that are not questions
	Misrouted()       // one packet that the kernel gave to CoreDNS's own socket
	Panicked()        // one panic of our code; CoreDNS got the question
	GivenUp()         // our sockets are closed for good
}

// route returns the server block whose zone matches a question best, or nil if CoreDNS
// answers for it.
func (s *Backend) route(q *answer.Question) *Block {
	for i := range s.Zones {
		if s.Zones[i].Origin.Encloses(q.Name()) {
			return s.Zones[i].Block
		}
	}
	return nil
}

func (b *Block) meter(q *answer.Question) Meter {
	for i := range b.Meters {
		if b.Meters[i].Origin.Encloses(q.Name()) {
			return b.Meters[i].Meter
		}
	}
	return nil
}

// declines reports whether CoreDNS must give an answer with this result, since another plugin
// may have a better one.
func (b *Block) declines(q *answer.Question, r resolve.Result) bool {
	switch {
	case r == resolve.Success:
		return false
	case b.NoDenials:
		return true
	case r != resolve.NXDomain:
		return false
	}
	return b.NoSearch || holdsAny(b.Fallthrough, q)
}

// handOverAs returns how CoreDNS gets a question: the goroutine that reads asks CoreDNS itself
// if the cache may have the answer.
func (b *Block) handOverAs(q *answer.Question) Verdict {
	if b.Cache && !answer.MetaType(q.Type) && !holdsAny(b.View.Origins, q) {
		return Outside
	}
	return HandOver
}

func holdsAny(origins []resolve.Origin, q *answer.Question) bool {
	for i := range origins {
		if origins[i].Encloses(q.Name()) {
			return true
		}
	}
	return false
}
