package publish

import "strings"

// common returns the hostname that two have in common, and reports false if there is none. Each
// may be empty, for any name, or begin with a wildcard label, which stands for one or more labels
// (Gateway API, Hostname). The more specific of the two is the result.
func common(a, b string) (host string, ok bool) {
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
