// Package hostname reads hostnames as the authors of Ingresses, routes and Services write them. The key of a
// name is what cluster.Txn.Publish knows it by: its wire form, in lower case.
package hostname

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// DomainKey returns the key of a domain name, or "" for any other text.
func DomainKey(host string) string {
	if host == "" || strings.Trim(host, ".") == "" || strings.ContainsAny(host, `\ /:@`) {
		return ""
	}
	host, ok := ascii(host)
	n, err := dnsname.Parse(host)
	if err != nil || !ok {
		return ""
	}
	return n.Wire()
}

// ascii returns a name in the form that DNS has it in, with A-labels in the place of letters of other
// alphabets (RFC 5890 2.3.2.1), as external-dns does. It reports false for what has no such form.
func ascii(host string) (string, bool) {
	if strings.IndexFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return host, true
	}
	wildcard, rest := "", host
	if cut, is := strings.CutPrefix(host, "*."); is {
		wildcard, rest = "*.", cut
	}
	converted, err := idna.Lookup.ToASCII(rest)
	return wildcard + converted, err == nil && utf8.ValidString(rest)
}

// Key returns the key of a hostname with letters, digits, dashes and dots, which may begin
// with a wildcard label, or "" for any other text.
func Key(host string) string {
	host, ok := ascii(strings.ToLower(host))
	if !ok {
		return ""
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(host, "*."), "."), ".") {
		if !isLabel(label) {
			return ""
		}
	}
	return DomainKey(host)
}

// isLabel reports whether a text is a label of a host (RFC 1123 2.1).
func isLabel(text string) bool {
	return text != "" && text[0] != '-' && text[len(text)-1] != '-' && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

// Of returns the name of a key.
func Of(key string) string {
	n, _ := dnsname.ParseWire([]byte(key))
	return n.String()
}

// Common returns the hostname that two have in common, and reports false if there is none. Each
// may be empty, for any name, or begin with a wildcard label, which stands for one or more labels
// (Gateway API, Hostname). The more specific of the two is the result.
func Common(a, b string) (host string, ok bool) {
	a, b = strings.TrimSuffix(a, "."), strings.TrimSuffix(b, ".")
	switch {
	case covers(a, b):
		return b, true
	case covers(b, a):
		return a, true
	}
	return "", false
}

// covers reports whether a hostname has all names that another has.
func covers(wide, host string) bool {
	if wide == "" || wide == host {
		return true
	}
	suffix, wildcard := strings.CutPrefix(wide, "*")
	return wildcard && len(host) > len(suffix) && strings.HasSuffix(host, suffix)
}
