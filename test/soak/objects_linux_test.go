//go:build soak

package soak

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Answers without records. They carry the SOA record of the zone.
const (
	noName = "NXDOMAIN soa"
	noData = "NOERROR soa"
)

const (
	namespace = "soak"
	suffix    = "." + namespace + ".svc.cluster.local"
)

// object is something that has versions, each with answers of its own. The first is
// the version 0.
type object struct {
	name      string
	questions []string // as in "A web.soak.svc.cluster.local"
	// answer is the response code and the data of the records in alphabetical order.
	answer func(question string, version int) string

	mu    sync.Mutex
	begun int        // the last version that it has been changed to, or is being
	seen  []sighting // those of the last while, and the one before
}

// sighting is the first answer that showed a version.
type sighting struct {
	version int
	at      time.Time
}

// lag is how far answers may go back: a reload that needs another watch goes over to
// one that can be behind the one before, for as long as events are on their way.
const lag = 2 * time.Second

// begin says that the object is about to have the next version.
func (o *object) begin() (version int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begun++
	return o.begun
}

// oldest is the version that an answer has to be of at least, if it is asked for now:
// the last that had been seen a while ago. The newest is the last that has been seen.
func (o *object) oldest() (oldest, newest int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.seen) > 1 && time.Since(o.seen[1].at) > lag {
		o.seen = o.seen[1:]
	}
	if len(o.seen) == 0 {
		return 0, 0
	}
	return o.seen[0].version, o.seen[len(o.seen)-1].version
}

// judge fails if an answer is that of no version from the oldest on. It says whether
// all that it can be of are older than the newest, as of when it was asked for.
func (o *object) judge(question string, oldest, newest int, got string) (back bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for version := oldest; version <= o.begun; version++ {
		if o.answer(question, version) == got {
			back = back || version < newest
			if version >= newest {
				o.see(version)
				return false, nil
			}
		}
	}
	if back {
		return true, nil
	}
	return false, fmt.Errorf("%s: %s, want that of a version from %d to %d, such as %s", question, got, oldest, o.begun, o.answer(question, o.begun))
}

func (o *object) see(version int) {
	if len(o.seen) == 0 || version > o.seen[len(o.seen)-1].version {
		o.seen = append(o.seen, sighting{version, time.Now()})
	}
}

// last is the answer of the last version.
func (o *object) last(question string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answer(question, o.begun)
}

// text is a reply as answers are written here.
func text(r *dns.Msg) string {
	words := []string{dns.RcodeToString[r.Rcode]}
	for _, rr := range r.Answer {
		words = append(words, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(words[1:])
	for _, rr := range r.Ns {
		words = append(words, strings.ToLower(dns.TypeToString[rr.Header().Rrtype]))
	}
	return strings.Join(words, " ")
}

func message(question string) (*dns.Msg, error) {
	qtype, name, _ := strings.Cut(question, " ")
	if qtype == "PTR" {
		reverse, err := dns.ReverseAddr(name)
		if err != nil {
			return nil, err
		}
		name = reverse
	}
	return new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype]).SetEdns0(1232, false), nil
}
