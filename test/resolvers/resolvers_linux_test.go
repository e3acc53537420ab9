package resolvers

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/wire"
)

// names are the names to look up, one of each kind.
var names = []string{
	"db",                         // in the client's own Namespace
	"web.shop",                   // in another Namespace, by its shortest name
	"web.shop.svc",               // in another Namespace, by the next longer name
	"web.shop.svc.cluster.local", // complete, without the final dot
	"mail.shop",                  // an alias to a name outside
	"www.example.com",            // outside, both families
	"example.org",                // outside, two labels
	"four.example.com",           // outside, with A only
	"six.example.com",            // outside, with AAAA only
	"text.example.com",           // outside, with neither
	"cdn.example.com",            // outside, an alias
	"a.b.c.d.e.example.com",      // outside, more dots than any ndots
	"WWW.Example.Com",            // in another spelling
	"wiki.intranet",              // in the node's suffix, two labels
	"wiki",                       // in the node's suffix, one label
	"no.example.com",             // does not exist
	"nobody.shop",                // does not exist, named like a Service
	"web-0.db",                   // does not exist, named like an endpoint of a Service
	"web-0.cache",                // does not exist, named like an endpoint of a Service that is not there
	"broken.example.com",         // a name that cannot be looked up
	"www.example.com.",           // absolute
	"web.shop.svc.cluster.local.",
	"nobody.app.svc.cluster.local.",
	"no.example.com.",
}

var modes = []string{"search off", "search names", "search pods", "search pods none"}

// ndots are common values of Pods: the system's default, one that clusters recommend, and
// kubelet's.
var ndots = []int{1, 2, 5}

// TestResultsAreTheSame looks up every name with every resolver, in every mode.
func TestResultsAreTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles resolvers and asks for minutes, in a network of its own")
	}
	serveOutside(t)
	w, compiled := listen(t), compileAll(t)
	for _, dots := range ndots {
		t.Run(fmt.Sprintf("ndots %d", dots), func(t *testing.T) {
			setResolvConf(t, dots)
			clients := compiled.stubs(t)
			var plain map[string]result
			for _, mode := range modes {
				results := askAll(t, w, clients, dots, "", mode)
				if mode == modes[0] {
					plain = results
					continue
				}
				compare(t, mode, plain, results)
			}
		})
	}
}

// silencers are plugins that suppress a type for all names, as an operator may do for one
// address family.
var silencers = map[string]string{
	"template NOERROR AAAA":  "template IN AAAA {\n rcode NOERROR\n }",
	"template NXDOMAIN AAAA": "template ANY AAAA {\n rcode NXDOMAIN\n }",
	"acl filter AAAA":        "acl {\n filter type AAAA net *\n }",
	"template NOERROR A":     "template IN A {\n rcode NOERROR\n }",
}

// TestA2SilencedTypes looks up every name with every resolver while a plugin ahead
// suppresses a type.
func TestA2SilencedTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles resolvers and asks for minutes, in a network of its own")
	}
	serveOutside(t)
	w, dots := listen(t), ndots[len(ndots)-1]
	setResolvConf(t, dots)
	clients := compileAll(t).stubs(t)
	for title, ahead := range silencers {
		t.Run(title, func(t *testing.T) {
			plain := askAll(t, w, clients, dots, ahead, "search off")
			for _, mode := range []string{"search names", "search pods"} {
				compare(t, mode, plain, askAll(t, w, clients, dots, ahead, mode))
			}
		})
	}
}

// TestNoAAAA looks up every name with every resolver where names outside have no AAAA records.
// All other addresses are found as ever, with and without completion.
func TestNoAAAA(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles resolvers and asks for minutes, in a network of its own")
	}
	serveOutside(t)
	w, dots := listen(t), ndots[len(ndots)-1]
	setResolvConf(t, dots)
	clients := compileAll(t).stubs(t)
	plain := askAll(t, w, clients, dots, "", "search off")
	for key, r := range plain {
		r.addrs = strings.Join(slices.DeleteFunc(strings.Fields(r.addrs), isOutsideIPv6), " ")
		plain[key] = r
	}
	for _, mode := range []string{"search off\nno_aaaa on", "search names\nno_aaaa on"} {
		for key, r := range askAll(t, w, clients, dots, "", mode) {
			if want := plain[key].addrs; r.addrs != want {
				t.Errorf("%s: %s has %q, want %q\n%s", mode, key, r.addrs, want, strings.Join(r.questions, "\n"))
			}
		}
	}
}

// isOutsideIPv6 reports whether a text is an IPv6 address of a name outside.
func isOutsideIPv6(addr string) bool { return strings.HasPrefix(addr, "2001:db8:") }

// askAll looks up every name with every client, from a server in a mode, behind a plugin if
// there is one.
func askAll(t *testing.T, w *wire.Wire, clients []stub, dots int, ahead, mode string) map[string]result {
	results := map[string]result{}
	t.Run(mode, func(t *testing.T) {
		serveBehind(t, dnsAddr, ahead, mode, manifests, fmt.Sprintf(client, dots, dnsAddr))
		for _, c := range clients {
			for _, name := range names {
				for _, family := range familiesFor(&c, name, dots) {
					results[c.name+" "+name+" "+family] = c.lookUp(t, w, name, family)
				}
			}
		}
	})
	return results
}

// broken is the prefix of a name whose look-up fails. Resolvers repeat a failed question,
// so an earlier failure may lead to one more question.
const broken = "broken."

// familiesFor returns the families to look up for a name. A look-up that fails takes musl's
// whole timeout.
func familiesFor(s *stub, name string, dots int) []string {
	switch {
	case !strings.HasPrefix(name, broken):
		return s.families
	case dots == ndots[len(ndots)-1]:
		return s.families[:1]
	}
	return nil
}

// compare fails the test if a result has other addresses than without completion, or needed
// more questions.
func compare(t *testing.T, mode string, plain, completed map[string]result) {
	t.Helper()
	for key, before := range plain {
		after := completed[key]
		if after.addrs != before.addrs {
			t.Errorf("%s: %s has %q, want %q\n%s", mode, key, after.addrs, before.addrs, strings.Join(after.questions, "\n"))
		}
		if len(after.questions) > len(before.questions) && !strings.Contains(key, broken) {
			t.Errorf("%s: %s takes %d questions, without completion %d\n%s",
				mode, key, len(after.questions), len(before.questions), strings.Join(after.questions, "\n"))
		}
	}
}

// TestQuestions checks the numbers in doc/search-path.md: how many questions a look-up of
// both families takes, for a name outside, in another Namespace, in the node's suffix, and
// for one that does not exist.
func TestQuestions(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles resolvers and asks for minutes, in a network of its own")
	}
	serveOutside(t)
	setResolvConf(t, 5)
	w, clients := listen(t), compileAll(t).stubs(t)
	for _, mode := range modes {
		want := "2 2 2 10"
		if mode == modes[0] {
			want = "10 4 8 10"
		}
		t.Run(mode, func(t *testing.T) {
			serveCluster(t, dnsAddr, mode, manifests, fmt.Sprintf(client, 5, dnsAddr))
			for _, c := range clients {
				want := want
				if c.name == "busybox nslookup" { // it does not search
					want = "2 2 2 2"
				}
				if got := c.count(t, w, "www.example.com", "web.shop", "wiki.intranet", "no.example.com"); got != want {
					t.Errorf("%s takes %s questions, want %s", c.name, got, want)
				}
			}
		})
	}
}

// count returns the number of questions for a look-up of both families of names.
func (s *stub) count(t *testing.T, w *wire.Wire, names ...string) string {
	t.Helper()
	families := s.families
	if families[0] == both[0] {
		families = both[:1]
	}
	var counts []string
	for _, name := range names {
		n := 0
		for _, family := range families {
			n += len(s.lookUp(t, w, name, family).questions)
		}
		counts = append(counts, strconv.Itoa(n))
	}
	return strings.Join(counts, " ")
}

// P15: busybox nslookup searches for a name without a dot alone, asks the whole search path
// even if it has found the name, and then fails.
func TestP15BusyboxNslookup(t *testing.T) {
	if testing.Short() {
		t.Skip("asks in a network of its own")
	}
	serveOutside(t)
	setResolvConf(t, 5)
	serveCluster(t, dnsAddr, modes[0], manifests)
	for name, want := range map[string]struct {
		found bool
		code  int
	}{
		"db":                       {true, 1},
		"web.shop":                 {false, 1},
		"db.app.svc.cluster.local": {true, 0},
	} {
		cmd := exec.CommandContext(t.Context(), "busybox", "nslookup", name)
		out, _ := cmd.Output() // an exit code is no trouble here
		found, code := strings.Contains(string(out), "Address: 10.96.0."), cmd.ProcessState.ExitCode()
		if found != want.found || code != want.code {
			t.Errorf("%s: found %v, exit code %d, want %+v\n%s", name, found, code, want, out)
		}
	}
}
