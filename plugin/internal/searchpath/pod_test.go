package searchpath

import (
	"bytes"
	"testing"
)

func TestRule8PodSettings(t *testing.T) {
	const cluster, node = "a.b.svc.cluster.local. a.b.cluster.local. ", "a.b.corp.example. "
	p := NewPath(wire(t, origin), wires(t, "corp.example."), 2)
	var l List // reused for every Pod
	for _, tc := range []struct {
		title, policy, searches string
		ndots                   int
		want                    string
	}{
		{"nothing said", "ClusterFirst", "", -1, cluster + node + "a.b."},
		{"host network", "ClusterFirstWithHostNet", "", -1, cluster + node + "a.b."},
		{"own suffixes", "ClusterFirst", "pod.example. Corp.example. .", -1, cluster + node + "a.b.pod.example. a.b."},
		{"another Namespace", "ClusterFirst", "shop.svc.cluster.local.", -1, cluster + node + "a.b.shop.svc.cluster.local. a.b."},
		{"as it is came first", "ClusterFirst", "", 1, cluster + node},
		{"ndots 0", "ClusterFirst", "", 0, cluster + node},
		{"few dots", "ClusterFirst", "", 2, cluster + node + "a.b."},
		{"None", "None", "app.svc.cluster.local. pod.example.", 2, "a.b.pod.example. a.b."},
		{"None has one dot", "None", "app.svc.cluster.local. pod.example.", -1, "a.b.pod.example."},
		{"None with another suffix first", "None", "pod.example. app.svc.cluster.local.", 5, "-"},
		{"None without a suffix", "None", "", 5, "-"},
		{"Default", "Default", "", -1, "-"},
		{"its own suffix again", "ClusterFirst", "app.svc.cluster.local.", -1, cluster + node + "a.b."},
	} {
		ok := p.Fill(&l, namespace, &Settings{Policy: tc.policy, Searches: wires(t, tc.searches), Ndots: tc.ndots})
		got := "-"
		if ok {
			got = stops(t, unclear{}, below("a.b"), &l)
			if got != "" {
				got += " "
			}
		}
		want := tc.want
		if want != "-" && want[len(want)-1] != ' ' {
			want += " "
		}
		check(t, tc.title, got, want)
	}
}

func TestPodSuffixesAreLimited(t *testing.T) {
	many := ""
	for i := range 40 {
		many += string([]byte{'a' + byte(i/26), 'a' + byte(i%26)}) + ".example. "
	}
	p := NewPath(wire(t, origin), nil, 2)
	var l List
	ok := p.Fill(&l, namespace, &Settings{Policy: "ClusterFirst", Searches: wires(t, many), Ndots: -1})
	if want := maxSuffixes; !ok || l.size() != want {
		t.Errorf("the list has %d elements, want %d and the name as it is", l.size(), want-1)
	}
}

// unclear is a cluster in which every name must be looked up, so that walks show all names.
type unclear struct{}

func (unclear) Taken(_, _ []byte) bool { return false }
func (unclear) Status(name []byte) Status {
	if bytes.HasSuffix(name, []byte("\x07cluster\x05local\x00")) {
		return Unclear
	}
	return Elsewhere
}
