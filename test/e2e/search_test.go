//go:build e2e

package e2e

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterdns/clusterdns/test/kit/wire"
	"github.com/clusterdns/clusterdns/test/lab"
)

// searchNames are an outside name, and a Service in another namespace by its shortest name.
var searchNames = []string{"www.example.com", "kubernetes.default"}

// searchers are programs that look a name up through the search path, with the number of
// families that they ask for.
var searchers = []struct {
	resolver
	families int
}{
	{resolver{name: "glibc", image: lab.Glibc, shell: `resolve "$0"`}, 2},
	{resolver{name: "musl", image: lab.Musl, shell: `resolve "$0"`}, 2},
	{resolver{name: "dig", image: lab.Glibc, shell: `dig +search +short A "$0"`}, 1},
}

// TestSearch makes the server complete the search path, and counts the questions that
// arrive at the DNS Pods: a Pod gets the same addresses with fewer questions.
func TestSearch(t *testing.T) {
	namespace := newNamespace(t, "search")
	for _, s := range searchers {
		client{namespace: namespace, name: s.name, image: s.image}.start(t)
	}
	w := listenAtServers(t)
	plain := w.lookUpAll(t, namespace, 5, 2)
	original := currentCorefile(t)
	t.Cleanup(func() { setCorefile(t, original) })
	for _, mode := range []string{"search names", "search pods"} {
		t.Run(mode, func(t *testing.T) {
			setCorefile(t, strings.Replace(original, "pods insecure\n", "pods insecure\n        "+mode+"\n", 1))
			awaitLog(t, "Reloading complete")
			if diff := cmp.Diff(plain, w.lookUpAll(t, namespace, 1, 1)); diff != "" {
				t.Errorf("found without completion (-), with it (+):\n%s", diff)
			}
		})
	}
}

// wires capture the questions that arrive at all DNS Pods.
type wires []*wire.Wire

func listenAtServers(t *testing.T) (all wires) {
	t.Helper()
	for _, pod := range serverPods(t) {
		network := client{namespace: dnsNamespace, name: pod}.network(t)
		addr := netip.MustParseAddr(podAddress(t, dnsNamespace, pod))
		var w *wire.Wire
		err := cluster.WithinPod(network, func() (err error) {
			w, err = wire.Listen(addr)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		all = append(all, w)
	}
	return all
}

// lookUpAll returns the addresses that each searcher finds for each name. takes is how many
// questions each name needs in one family.
func (w wires) lookUpAll(t *testing.T, namespace string, takes ...int) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, s := range searchers {
		c := client{namespace: namespace, name: s.name}
		from := netip.MustParseAddr(podAddress(t, namespace, s.name))
		for i, name := range searchNames {
			w.drain(t, from)
			addrs := addrsIn(c.run(t, s.command(name)...))
			questions := w.drain(t, from)
			if want := takes[i] * s.families; len(questions) != want {
				t.Errorf("%s takes %d questions for %s, want %d: %q", s.name, len(questions), name, want, questions)
			}
			if len(addrs) == 0 {
				t.Errorf("%s finds nothing for %s", s.name, name)
			}
			found[s.name+" "+name] = addrs
		}
	}
	t.Logf("%v takes %v questions in a family", searchNames, takes)
	return found
}

// drain returns the questions from an address since its last call.
func (w wires) drain(t *testing.T, from netip.Addr) (questions []string) {
	t.Helper()
	for _, one := range w {
		arrived, err := one.Drain()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range arrived {
			if q.From == from {
				questions = append(questions, q.String())
			}
		}
	}
	return questions
}

// addrsIn returns the addresses in a program's output.
func addrsIn(out string) (addrs []string) {
	for word := range strings.FieldsSeq(out) {
		if _, err := netip.ParseAddr(word); err == nil {
			addrs = append(addrs, word)
		}
	}
	slices.Sort(addrs)
	return slices.Compact(addrs)
}
