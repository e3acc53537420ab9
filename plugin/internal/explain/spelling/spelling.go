// Package spelling tells which domain name people mean by what they write for one: a URL, an address, a name with a
// port or in kubectl's form.
package spelling

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Name is what a resolver can be asked for.
type Name struct {
	Text    string
	Reverse bool     // it is the reverse name of an address
	Notes   []string // what differs from what was written, and what to write
}

// reader takes from a text what does not belong to a name.
type reader struct {
	rest  string
	notes []string
}

// Read returns the name that a text means. An error says what to write instead.
func Read(text string) (Name, error) {
	r := &reader{rest: text}
	r.withoutBlanks()
	r.withoutScheme()
	r.withoutPath()
	r.withoutPort()
	if address, err := netip.ParseAddr(r.rest); err == nil {
		return r.reverse(address)
	}
	if err := valid(r.rest); err != nil {
		return Name{}, err
	}
	if lower := strings.ToLower(r.rest); lower != r.rest {
		r.note("%s is the same name as %s: DNS does not tell upper from lower case, and names of objects are in lower case", r.rest, lower)
		r.rest = lower
	}
	if strings.TrimSuffix(r.rest, ".") == "localhost" {
		r.note("localhost stands in /etc/hosts of every Pod, which comes first: programs ask nobody for it")
	}
	return Name{Text: r.rest, Notes: r.notes}, nil
}

func (r *reader) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// use goes on with a part of the text, and says why.
func (r *reader) use(part, format string) {
	if part == "" || part == r.rest {
		return
	}
	r.note(format, r.rest, part)
	r.rest = part
}

func (r *reader) withoutBlanks() {
	r.use(strings.TrimSpace(r.rest), "%q has blanks at an end, which a program takes for a part of the name: write %s")
}

// withoutScheme leaves of a URL the host and what is behind it.
func (r *reader) withoutScheme() {
	scheme, behind, is := strings.Cut(r.rest, "://")
	if !is {
		return
	}
	authority := behind
	if end := strings.IndexAny(behind, "/?#"); end >= 0 {
		authority = behind[:end]
	}
	user := strings.LastIndexByte(authority, '@') + 1
	r.rest = scheme + "://" + behind[user:] // no note has a password
	host := authority[user:]
	if name, _, is := strings.Cut(host, ":"); is && strings.Count(host, ":") == 1 {
		host = name
	}
	r.use(host, "%s is a URL, of which only the host is looked up: where a program expects a name, write %s")
}

// kinds begin the forms in which kubectl takes objects.
var kinds = []string{"svc", "service", "services", "po", "pod", "pods", "deploy", "deployment", "sts", "statefulset", "ds", "daemonset"}

func (r *reader) withoutPath() {
	first, second, is := strings.Cut(r.rest, "/")
	switch {
	case !is || first == "" || strings.HasSuffix(first, ":"):
	case slices.Contains(kinds, strings.ToLower(first)):
		r.use(second, "%s is a form of kubectl's, without a meaning in DNS: the name is %s")
	default:
		r.use(first, "%s has a slash, at which a name ends: the name is %s")
		if _, is := dns.IsDomainName(second); is && !strings.ContainsAny(second, "/.0123456789") {
			r.notes[len(r.notes)-1] += fmt.Sprintf(", and %s.%s if you mean Service %s of Namespace %s", second, first, second, first)
		}
	}
}

func (r *reader) withoutPort() {
	const format = "%s has a port, which is no part of a name: the name is %s"
	if at, err := netip.ParseAddrPort(r.rest); err == nil {
		r.use(at.Addr().String(), "%s has a port, which is no part of an address: the address is %s")
		return
	}
	if host, _, is := strings.Cut(r.rest, ":"); is && strings.Count(r.rest, ":") == 1 && !strings.Contains(r.rest, "/") {
		r.use(host, format)
	}
	if inside, is := strings.CutPrefix(r.rest, "["); is {
		r.use(strings.TrimSuffix(inside, "]"), "%s has brackets, which URLs have around an address: the address is %s")
	}
}

func (r *reader) reverse(address netip.Addr) (Name, error) {
	name, err := dns.ReverseAddr(address.WithZone("").String())
	if err != nil {
		return Name{}, err
	}
	r.note("%s is an address, which programs use without asking for anything: what follows is the look-up of its name (PTR)", address)
	return Name{Text: name, Reverse: true, Notes: r.notes}, nil
}

// valid returns what keeps a text from being a name, and what to write.
func valid(text string) error {
	labels := strings.FieldsFunc(text, func(c rune) bool { return c == '.' })
	_, is := dns.IsDomainName(text)
	switch {
	case text == "":
		return errors.New("expected a name, such as db or db.shop")
	case text == ".":
		return nil
	case len(labels) == 0, strings.ContainsAny(text, "/:[]"):
		return fmt.Errorf("%s is no name: expected one such as db or db.shop", text)
	case strings.HasPrefix(text, "."), strings.Contains(text, ".."):
		return fmt.Errorf("%s has a dot too many: there is one between two labels, and at most one at the end. Write %s", text, strings.Join(labels, "."))
	case strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return fmt.Errorf("%q has a blank within, which no object of Kubernetes has in its name: write one name", text)
	case strings.ContainsFunc(text, func(c rune) bool { return c > 0x7f }):
		return fmt.Errorf("%s has characters outside ASCII: in DNS such names are written with labels that begin with xn--", text)
	case !is:
		return fmt.Errorf("%s is no name: a label has at most 63 characters, and the whole at most 253", text)
	}
	return nil
}

// Dashed returns an address as it is in a label.
func Dashed(address string) string { return strings.NewReplacer(".", "-", ":", "-").Replace(address) }

// AddressIn returns the address that a label of a Pod's name is.
func AddressIn(label string) netip.Addr {
	for _, separator := range []string{".", ":"} {
		if a, err := netip.ParseAddr(strings.ReplaceAll(label, "-", separator)); err == nil {
			return a
		}
	}
	return netip.Addr{}
}
