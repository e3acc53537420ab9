package differential

import (
	"flag"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

var seed = flag.Uint64("seed", 1, "what the cluster and the questions are made from")

// types are the types in questions for every name. 65280 is for private use.
var types = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypePTR, dns.TypeTXT, dns.TypeCNAME, dns.TypeSOA, dns.TypeNS, dns.TypeMX,
	dns.TypeHTTPS, dns.TypeSVCB, dns.TypeANY, dns.TypeDS, dns.TypeCAA, 65280,
}

// rareTypes are the types of some questions.
var rareTypes = []uint16{
	dns.TypeHINFO, dns.TypeNAPTR, dns.TypeTLSA, dns.TypeDNSKEY, dns.TypeNULL, dns.TypeLOC, dns.TypeNSEC, dns.TypeRRSIG,
	dns.TypeOPT, 0, dns.TypeAXFR, dns.TypeIXFR,
}

// mutated is how many random questions there are for every three others.
const mutated = 3

// wildPart says that a wild Corefile gets one question in so many.
const wildPart = 8

// quiz makes the questions about some names.
type quiz struct {
	*rand.Rand
	*corefile
	names []string
}

func newQuiz(c *corefile, stream uint64, names []string) *quiz {
	return &quiz{rand.New(rand.NewPCG(*seed, stream)), c, names}
}

// questions returns questions for every name and type, or for a part of them, and then at
// least a third as many about names that nearly exist. Their order is random, because stock
// and ours might both keep something from one question to the next.
func (z *quiz) questions(least int) iter.Seq[question] {
	return func(yield func(question) bool) {
		all := z.product()
		for _, q := range all {
			if !yield(q) {
				return
			}
		}
		for range max(len(all)/mutated, least-len(all)) {
			if !yield(z.mutation()) {
				return
			}
		}
	}
}

func (z *quiz) product() []question {
	all := make([]question, 0, len(z.names)*len(types))
	clients := z.clientAddrs()
	add := func(name string, qtype uint16) {
		q := ask(name, qtype)
		q.client = pick(z.Rand, clients...)
		all = append(all, q)
	}
	for _, name := range z.names {
		for _, qtype := range z.askable(types) {
			add(name, qtype)
		}
	}
	if z.transfer {
		for _, zone := range z.zones() {
			add(zone, dns.TypeIXFR)
			add(strings.ToUpper(zone), dns.TypeIXFR)
		}
	}
	z.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	if z.wild {
		return all[:len(all)/wildPart]
	}
	return all
}

// askable leaves out ANY where nobody can ask for AAAA: no other question would show that the AAAA
// records of such an answer are those of the name.
func (z *quiz) askable(types []uint16) []uint16 {
	return slices.DeleteFunc(slices.Clone(types), func(t uint16) bool { return z.retyped && t == dns.TypeANY })
}

// mutation returns a question about a name that is changed, or asked in an odd way, or both.
func (z *quiz) mutation() question {
	q := ask(pick(z.Rand, z.names...), pick(z.Rand, z.askable(types)...))
	q.client = pick(z.Rand, z.clientAddrs()...)
	if z.IntN(10) == 0 {
		q.qtype = pick(z.Rand, rareTypes...)
	}
	for range z.IntN(3) {
		q.name = z.change(q.name)
	}
	if z.IntN(3) == 0 && (!z.cached || !outsideOf(z.uncached, q.name)) {
		q.name = z.recase(q.name)
	}
	z.vary(&q)
	if q.qtype == dns.TypeAXFR || q.qtype == dns.TypeIXFR {
		q.tcp = q.tcp && !z.transfer // see compareTransfers
	}
	if q.name = spelled(q.name); q.name == "" {
		return z.mutation() // no client can send this question
	}
	return q
}

// spelled returns the name as it is read from the wire, or empty if it does not fit.
func spelled(name string) string {
	var buf [255]byte
	end, err := dns.PackDomainName(name, buf[:], 0, nil, false)
	if err != nil {
		return ""
	}
	name, _, err = dns.UnpackDomainName(buf[:end], 0)
	if err != nil {
		return ""
	}
	return name
}

// vary chooses how the question is asked.
func (z *quiz) vary(q *question) {
	q.tcp = z.IntN(12) == 0
	q.flags = queryFlags{rd: z.IntN(4) > 0, ad: z.IntN(4) == 0, cd: z.IntN(8) == 0}
	q.size = pick[uint16](z.Rand, 0, 0, 1, 512, 1232, 4096, 65535)
	q.do = z.IntN(4) == 0
	switch z.IntN(20) {
	case 0:
		q.options = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "24a5ac1b2c3d4e5f"}}
	case 1:
		q.options = []dns.EDNS0{&dns.EDNS0_NSID{Code: dns.EDNS0NSID}}
	case 2:
		q.options = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: dns.EDNS0LOCALSTART, Data: []byte{1, 2}}}
	case 3:
		q.version = 1
	case 4:
		q.class = pick[uint16](z.Rand, dns.ClassCHAOS, dns.ClassANY, dns.ClassNONE, dns.ClassHESIOD)
	}
}

// change makes a name that nearly is the one given.
func (z *quiz) change(name string) string {
	labels := dns.SplitDomainName(name)
	if len(labels) == 0 {
		return pick(z.Rand, oddLabels...) + "."
	}
	i := z.IntN(len(labels))
	switch z.IntN(10) {
	case 0:
		labels = slices.Delete(labels, i, i+1)
	case 1, 2:
		labels = slices.Insert(labels, z.IntN(len(labels)+1), pick(z.Rand, oddLabels...))
	case 3:
		labels = slices.Insert(labels, i, labels[i])
	case 4:
		labels[i] = z.changeLetter(labels[i])
	case 5:
		labels[0] = z.changeUnderscore(labels[0])
	case 6:
		labels[min(1, len(labels)-1)] = z.changeUnderscore(labels[min(1, len(labels)-1)])
	case 7:
		labels[i] = z.changeDash(labels[i])
	case 8:
		labels[i] = pick(z.Rand, oddLabels...)
	case 9:
		k := z.IntN(len(labels))
		labels[i], labels[k] = labels[k], labels[i]
	}
	return dns.Fqdn(strings.Join(labels, "."))
}

// oddLabels are words of the grammar, and labels that programs trip over.
var oddLabels = []string{
	"svc", "pod", "dns", "ns", "dns-version", "cluster", "local", "zoo", "web", "db", "_tcp", "_udp", "_sctp", "_http", "tcp", "http",
	"_", "__", "_-", "*", "any", "0", "00", "01", "a", "x", "-", "--", "--1", "1", "255", "256", "f", "g", "10-244-2-1", "10-0-0-1",
	"--ffff-10-0-0-1", "1-2-3", "1-2-3-4-5", "2001-db8--", "2001-db8--0", "2001-0db8--1", "fe80--1", "0-0-0-0", "010-0-0-1", "10.0.0.1",
	`a\.b`, `\000`, `a\032b`, `\255`, `a\/b`, `a\"b`, `a\\b`, `\@`, "xn--nxasmq6b", "pin", "prefer", "_zone", "clusterset",
	"abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678",
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"

func (z *quiz) changeLetter(label string) string {
	if label == "" { // left by another change
		return label
	}
	b := []byte(label)
	b[z.IntN(len(b))] = letters[z.IntN(len(letters))]
	return string(b)
}

func (z *quiz) changeUnderscore(label string) string {
	if rest, ok := strings.CutPrefix(label, "_"); ok && rest != "" {
		return rest
	}
	return "_" + label
}

func (z *quiz) changeDash(label string) string {
	switch z.IntN(4) {
	case 0:
		return strings.ReplaceAll(label, "-", ".")
	case 1:
		return strings.Replace(label, "-", "--", 1)
	case 2:
		return label + "-"
	}
	return strings.Replace(label, "-", "", 1)
}

// recase changes some letters to upper case, mostly at random, like resolvers that guard
// against forged answers.
func (z *quiz) recase(name string) string {
	if z.IntN(4) == 0 {
		return strings.ToUpper(name)
	}
	b := []byte(name)
	for i, c := range b {
		if 'a' <= c && c <= 'z' && z.IntN(2) == 0 {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
