package documents

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/conformance/cases"
)

// demoPages have questions to the demo.
var demoPages = []string{readme, "doc/published.md"}

// demoCommand is the beginning of their questions.
const demoCommand = "dig @127.0.0.1 -p 1053 "

// promise is what a comment says about an answer.
type promise struct {
	rcode int
	// rdata has a record of the answer for each type, or "" where there is none: then the
	// authority section has the SOA record.
	rdata map[string]string
}

// promises are by the rest of the line after demoCommand, with the comment. A change there
// needs a change here.
var promises = map[string]promise{
	"web.shop.svc.cluster.local # ClusterIP; AAAA too": {
		rdata: map[string]string{"A": "10.96.20.80", "AAAA": "fd00:10:96::2050"},
	},
	"_http._tcp.web.shop.svc.cluster.local SRV # a named port": {
		rdata: map[string]string{"SRV": "0 50 80 web.shop.svc.cluster.local."},
	},
	"db-0.db.shop.svc.cluster.local # a Pod of a StatefulSet": {
		rdata: map[string]string{"A": "10.244.1.20"},
	},
	"-x 10.96.0.1 # kubernetes.default": {
		rdata: map[string]string{"PTR": "kubernetes.default.svc.cluster.local."},
	},
	"dns-version.cluster.local TXT # the version of the specification of these names": {
		rdata: map[string]string{"TXT": `"1.1.0"`},
	},
	"nobody.shop.svc.cluster.local # NXDOMAIN, with the SOA": {
		rcode: dns.RcodeNameError,
		rdata: map[string]string{"A": ""},
	},
	"shop.example.org # a name of an Ingress leads Pods to its Service": {
		rdata: map[string]string{"A": "10.96.30.80", "AAAA": ""},
	},
	"shop.example.org # 10.96.30.80, the ClusterIP of the Service that has the Ingress' address": {
		rdata: map[string]string{"A": "10.96.30.80"},
	},
	"any.apps.example.org # the same, by a wildcard": {
		rdata: map[string]string{"A": "10.96.30.80"},
	},
	"shop.example.org HTTPS # no data: a hint could have the address outside": {
		rdata: map[string]string{"HTTPS": ""},
	},
}

// demoQuestions returns the lines of the pages' fenced blocks that ask the demo, without demoCommand and
// with single spaces.
func demoQuestions(t *testing.T) (lines []string) {
	t.Helper()
	for _, page := range demoPages {
		for _, f := range readFences(t, page) {
			for line := range strings.Lines(f.text) {
				line = strings.Join(strings.Fields(line), " ")
				if strings.HasPrefix(line, "dig ") {
					lines = append(lines, strings.TrimPrefix(line, demoCommand))
				}
			}
		}
	}
	return lines
}

func TestDocumentsQuestionsAreKnown(t *testing.T) {
	asked := slices.Sorted(slices.Values(demoQuestions(t)))
	known := slices.Sorted(maps.Keys(promises))
	if diff := cmp.Diff(known, asked); diff != "" {
		t.Errorf("questions known here (-), in %s (+):\n%s", demoPages, diff)
	}
	for _, line := range asked {
		question, err := parseQuestion(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		qtype := dns.TypeToString[question.Qtype]
		if _, ok := promises[line].rdata[qtype]; !ok {
			t.Errorf("%s: asks for %s, which is not in %v", line, qtype, promises[line].rdata)
		}
	}
}

// parseQuestion reads dig's arguments: NAME [TYPE] or -x ADDRESS.
func parseQuestion(line string) (dns.Question, error) {
	arguments, _, _ := strings.Cut(line, "#")
	words := strings.Fields(arguments)
	question := dns.Question{Qtype: dns.TypeA, Qclass: dns.ClassINET}
	if len(words) == 0 || len(words) > 2 {
		return question, errors.New("expected NAME [TYPE] or -x ADDRESS")
	}
	if words[0] == "-x" {
		name, err := dns.ReverseAddr(words[len(words)-1])
		question.Name, question.Qtype = name, dns.TypePTR
		return question, err
	}
	question.Name = dns.Fqdn(words[0])
	if len(words) > 1 {
		question.Qtype = dns.StringToType[words[1]]
	}
	if question.Qtype == dns.TypeNone {
		return question, fmt.Errorf("no type %s", words[1])
	}
	return question, nil
}

// compare returns an error that says how a reply breaks the promise.
func (p promise) compare(reply *dns.Msg, qtype string) error {
	want := p.rdata[qtype]
	switch {
	case reply.Rcode != p.rcode:
		return fmt.Errorf("status is %s, want %s", dns.RcodeToString[reply.Rcode], dns.RcodeToString[p.rcode])
	case want != "" && !hasRecord(reply.Answer, qtype, want):
		return fmt.Errorf("no record %s %s in the answer section:\n%s", qtype, want, reply)
	case want == "" && (len(reply.Answer) > 0 || !hasSOA(reply.Ns)):
		return fmt.Errorf("want an SOA record and no answer:\n%s", reply)
	}
	return nil
}

func hasRecord(section []dns.RR, qtype, want string) bool {
	return slices.ContainsFunc(section, func(rr dns.RR) bool {
		return dns.TypeToString[rr.Header().Rrtype] == qtype && cases.Rdata(rr) == want
	})
}

func hasSOA(section []dns.RR) bool {
	return slices.ContainsFunc(section, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA })
}
