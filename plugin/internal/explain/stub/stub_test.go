package stub

import (
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/resolvconf"
)

// The names that glibc 2.36 and musl ask for, by the replies that they get. Each row has the rcodes of
// the replies to A and AAAA.
func TestWalk(t *testing.T) {
	const denied = "NXDOMAIN NXDOMAIN"
	for _, tc := range []struct {
		libc    resolvconf.Libc
		name    string
		ndots   int
		replies map[string]string // NXDOMAIN where there is none
		want    string
		outcome Outcome
	}{
		{resolvconf.Glibc, "x", 5, nil, "x.one. x.two. x.", Next},
		{resolvconf.Glibc, "x", 5, map[string]string{"x.one.": "REFUSED REFUSED"}, "x.one. x.", Next},
		{resolvconf.Glibc, "x", 5, map[string]string{"x.one.": "NOTIMP NOTIMP"}, "x.one. x.", Next},
		{resolvconf.Glibc, "x", 5, map[string]string{"x.one.": "SERVFAIL SERVFAIL"}, "x.one. x.two. x.", Next},
		{resolvconf.Glibc, "x", 5, map[string]string{"x.one.": "NXDOMAIN REFUSED"}, "x.one. x.two. x.", Next},
		{resolvconf.Glibc, "x", 5, map[string]string{"x.one.": "REFUSED NXDOMAIN"}, "x.one. x.two. x.", Next},
		{resolvconf.Glibc, "x.y", 1, map[string]string{"x.y.": "REFUSED REFUSED"}, "x.y. x.y.one. x.y.two.", Next},
		{resolvconf.Glibc, "x.y", 1, map[string]string{"x.y.": denied, "x.y.one.": "REFUSED REFUSED"}, "x.y. x.y.one.", Next},
		{resolvconf.Glibc, "x", 5, map[string]string{"x.one.": "NOERROR NOERROR"}, "x.one. x.two. x.", Next},
		{resolvconf.Glibc, "x", 5, map[string]string{"x.one.": "none none"}, "x.one.", Failed},
		{resolvconf.Glibc, "x", 5, map[string]string{"x.two.": "data none"}, "x.one. x.two.", Found},
		{resolvconf.Musl, "x", 5, nil, "x.one. x.two. x.", Next},
		{resolvconf.Musl, "x", 5, map[string]string{"x.one.": "REFUSED REFUSED"}, "x.one.", Failed},
		{resolvconf.Musl, "x", 5, map[string]string{"x.one.": "SERVFAIL NXDOMAIN"}, "x.one.", Failed},
		{resolvconf.Musl, "x", 5, map[string]string{"x.one.": "NOERROR NOERROR"}, "x.one.", Failed},
		{resolvconf.Musl, "x", 5, map[string]string{"x.one.": "data NXDOMAIN"}, "x.one. x.two. x.", Next},
		{resolvconf.Musl, "x", 5, map[string]string{"x.two.": "data NOERROR"}, "x.one. x.two.", Found},
	} {
		var asked []string
		c := &resolvconf.Conf{Search: []string{"one", "two"}, Ndots: tc.ndots}
		outcome := Walk(c, tc.name, tc.libc, func(name string) []inprocess.Reply {
			asked = append(asked, name)
			rcodes, ok := tc.replies[name]
			if !ok {
				rcodes = denied
			}
			return replies(rcodes)
		})
		if outcome != tc.outcome || !slices.Equal(asked, strings.Fields(tc.want)) {
			t.Errorf("%s %s %v: asked for %v, outcome %d, want %s, %d", tc.libc, tc.name, tc.replies, asked, outcome, tc.want, tc.outcome)
		}
	}
}

func replies(rcodes string) (all []inprocess.Reply) {
	for rcode := range strings.FieldsSeq(rcodes) {
		r := inprocess.Reply{Rcode: rcode}
		if rcode == "data" {
			r = inprocess.Reply{Rcode: "NOERROR", Records: []string{"192.0.2.1"}}
		}
		all = append(all, r)
	}
	return all
}
