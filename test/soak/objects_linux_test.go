//go:build soak

package soak

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// Answers without records. They have the SOA record of the zone.
const (
	noName = "NXDOMAIN soa"
	noData = "NOERROR soa"
)

const (
	namespace = "soak"
	suffix    = "." + namespace + ".svc.cluster.local"

	// externalOrigin is the zone of k8s_external.
	externalOrigin = "ext.example."
	externalSuffix = "." + namespace + ".ext.example"
)

// object is something with versions, each with its own answers. The first version is 0.
type object struct {
	name      string
	questions []string // as in "A web.soak.svc.cluster.local"
	// answer returns the response code and the sorted data of the records.
	answer func(question string, version int) string

	mu    sync.Mutex
	begun int // the newest version that it has, or is being changed to
	seen  int // the newest version that an answer has shown
}

// begin announces the next version of the object.
func (o *object) begin() (version int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begun++
	return o.begun
}

// newestBegun returns the newest version that the object may have.
func (o *object) newestBegun() (version int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.begun
}

// newest returns the least version that an answer to a question of now may have: answers
// never go back in time, even after a reload.
func (o *object) newest() (version int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen
}

// judge returns an error if an answer belongs to no version from newest on, where newest is
// from the time of the question.
func (o *object) judge(question string, newest int, got string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for version := newest; version <= o.begun; version++ {
		if o.answer(question, version) == got {
			o.seen = max(o.seen, version)
			return nil
		}
	}
	return fmt.Errorf("%s: %s, want that of a version from %d to %d, such as %s", question, got, newest, o.begun, o.answer(question, o.begun))
}

// last returns the answer of the last version.
func (o *object) last(question string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answer(question, o.begun)
}

// text returns a reply in the form of these answers.
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
