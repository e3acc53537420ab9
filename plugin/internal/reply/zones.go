package reply

import (
	"net/netip"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// Zones are the zones of all server blocks on a listener, sorted by falling number of
// labels. They must not change while questions are answered.
type Zones []Zone

// Zone is a zone of a server block.
type Zone struct {
	Origin resolve.Origin
	Block  *Block // nil if CoreDNS answers all questions of the server block
}

// Block is a server block whose questions a Responder may answer.
type Block struct {
	Store *cluster.Store
	View  *resolve.View
	// Elsewhere are zones of the view whose names a plugin ahead may answer for.
	Elsewhere dnsname.Zones
	// Fallthrough are zones in which the next plugin may know a name that does not
	// exist here.
	Fallthrough dnsname.Zones
	// Claimed reports whether a plugin ahead may answer, change or refuse a client's question.
	// It may be nil.
	Claimed func(*answer.Question, netip.Addr) bool
	// Synthesized reports whether a plugin ahead replaces a negative answer to a client's
	// question of a type, if the name exists. It may be nil.
	Synthesized func(qtype uint16, client netip.Addr) bool
	// Search completes names that do not exist. It may be nil.
	Search Searcher
	// Supported reports whether a reply may have to repeat an EDNS option. It may be nil.
	Supported func(option uint16) bool

	// Keep says where replies of CoreDNS's cache are kept. It is nil if none may be.
	Keep *Keep

	// Beside are the blocks of other handlers in the server block, which have zones of their own. They
	// come first, and have none beside them.
	Beside []*Block

	Cache     bool   // the handler has a cache for names outside the view
	NoDenials bool   // CoreDNS gives negative answers
	NoSearch  bool   // CoreDNS answers for names that do not exist
	Shuffle   bool   // addresses are given in random order
	MaxSize   uint16 // longest reply, whatever the client accepts; 0 for no limit
	Meters    []ZoneMeter
	// Asked is told of every question that is answered, and must not keep the name. It may be nil.
	Asked func(client netip.Addr, qname *dnsname.Name, rcode int)
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
	Base    int // number of leading octets that the names of question and target share
	Element searchpath.Element
	Saved   int // number of questions that the client saves
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
	Size   int  // of the answer in octets, as the handler's (answer.Encoded.UncompressedSize)
	Asked  int  // size of the question in octets
	Took   time.Duration

	// Completion is the zero value unless the name was completed.
	Completion Completion
	// Source says where the answer comes from.
	Source Source
}

// Source is where an answer comes from.
type Source uint8

// The sources. An answer of CoreDNS's cache has neither Kind nor Completion.
const (
	FromSnapshot     Source = iota
	FromCache               // a success in CoreDNS's cache
	FromCacheDenials        // a denial in CoreDNS's cache
)
