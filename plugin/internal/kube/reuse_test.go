package kube

import (
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Two addresses that pass from one Pod to another.
const addrX, addrY = "10.1.0.1", "10.1.0.2"

// reuseTests are sequences of events from the API server, with who has the addresses in the
// end. An event names a Pod as <namespace>/<name>/<uid>; a minus sign means deletion. The
// owner is a Pod, a Namespace if several Pods of it may have the address, or nobody.
var reuseTests = []struct {
	title string
	steps string
	x, y  string
}{
	{"a Pod ends and is still listed", "a/job/1 X Running; a/job/1 X Succeeded", "", ""},
	{"it fails", "a/job/1 X Running; a/job/1 X Failed", "", ""},
	{"its node is lost", "a/job/1 X Running; a/job/1 X Unknown", "", ""},
	{"it ended before anybody looked", "begin; a/job/1 X Succeeded; b/web/2 X Running; end", "b/web/2", ""},
	{"it ends, then its address is another's", "a/job/1 X Running; a/job/1 X Succeeded; b/web/2 X Running", "b/web/2", ""},
	{"then it is deleted", "a/job/1 X Running; a/job/1 X Succeeded; b/web/2 X Running; -a/job/1", "b/web/2", ""},
	{"both have the address for a while", "a/job/1 X Running; b/web/2 X Running", "", ""},
	{"of one Namespace", "a/job/1 X Running; a/web/2 X Running", "a", ""},
	{"the delete comes late", "a/job/1 X Running; b/web/2 X Running; -a/job/1", "b/web/2", ""},
	{"the end comes late", "a/job/1 X Running; b/web/2 X Running; a/job/1 X Succeeded", "b/web/2", ""},
	{"and is told twice", "a/job/1 X Running; a/job/1 X Succeeded; b/web/2 X Running; a/job/1 X Succeeded; -a/job/1", "b/web/2", ""},
	{"another status comes late", "a/job/1 X Running; b/web/2 X Running; a/job/1 X Pending", "", ""},
	{"and then the delete", "a/job/1 X Running; b/web/2 X Running; a/job/1 X Pending; -a/job/1", "b/web/2", ""},

	{"a StatefulSet's Pod again, same address", "a/db-0/1 X Running; -a/db-0/1; a/db-0/2 X Running", "a/db-0/2", ""},
	{"another address", "a/db-0/1 X Running; -a/db-0/1; a/db-0/2 Y Running", "", "a/db-0/2"},
	{"the delete comes late, same address", "a/db-0/1 X Running; a/db-0/2 X Running; -a/db-0/1", "a/db-0/2", ""},
	{"the delete comes late, another address", "a/db-0/1 X Running; a/db-0/2 Y Running; -a/db-0/1", "", "a/db-0/2"},
	{"the end comes late, same address", "a/db-0/1 X Running; a/db-0/2 X Running; a/db-0/1 X Failed", "a/db-0/2", ""},
	{"the end comes late, another address", "a/db-0/1 X Running; a/db-0/2 Y Running; a/db-0/1 X Failed", "", "a/db-0/2"},
	{"without an address yet", "a/db-0/1 X Running; a/db-0/2 - Pending", "", ""},
	{"and its address goes to another", "a/db-0/1 X Running; a/db-0/2 Y Running; b/web/3 X Running; -a/db-0/1", "b/web/3", "a/db-0/2"},
	{"two of them change addresses", "a/db-0/1 X Running; a/db-1/2 Y Running; -a/db-0/1; -a/db-1/2; a/db-0/3 Y Running; a/db-1/4 X Running",
		"a/db-1/4", "a/db-0/3"},

	{"the delete was missed", "a/job/1 X Running; begin; b/web/2 X Running; end", "b/web/2", ""},
	{"and the list is under way", "a/job/1 X Running; begin; b/web/2 X Running", "", ""},
	{"and the list broke off", "a/job/1 X Running; begin; b/web/2 X Running; begin; b/web/2 X Running; end", "b/web/2", ""},
	{"a StatefulSet's Pod in a list", "a/db-0/1 X Running; begin; a/db-0/2 Y Running; b/web/3 X Running", "b/web/3", "a/db-0/2"},
	{"a list tells of one that has ended", "a/db-0/2 X Running; begin; a/db-0/2 X Running; -a/db-0/1; end", "a/db-0/2", ""},

	{"on the host's network", "a/proxy/1 X host", "", ""},
	{"beside another Pod there", "a/proxy/1 X host; b/agent/2 X host", "", ""},
	{"beside a Pod that cannot be there", "a/proxy/1 X host; b/web/2 X Running", "", ""},
	{"the node has gone", "a/proxy/1 X host; b/web/2 X Running; -a/proxy/1", "b/web/2", ""},
	{"again, off the host's network", "a/proxy/1 X host; a/proxy/2 Y Running; b/web/3 X Running; -a/proxy/1", "b/web/3", "a/proxy/2"},
}

func TestReusedAddresses(t *testing.T) {
	for _, tc := range reuseTests {
		t.Run(tc.title, func(t *testing.T) {
			wr, resources, _ := newTestWriter(Config{Pods: true, PodLabels: true})
			listAll(wr, resources)
			for step := range strings.SplitSeq(tc.steps, "; ") {
				wr.apply(reuseStep(resources[len(resources)-1], step))
			}
			for addr, want := range map[string]string{addrX: tc.x, addrY: tc.y} {
				if got := clientAt(wr, addr); got != want {
					t.Errorf("%s is %q, want %q", addr, got, want)
				}
			}
		})
	}
}

func reuseStep(r resource, step string) change {
	switch step {
	case "begin":
		return r.begin()
	case "end":
		return r.end()
	}
	if name, deleted := strings.CutPrefix(step, "-"); deleted {
		return r.drop(reusedPod(name, "", ""))
	}
	words := strings.Fields(step)
	return r.event(reusedPod(words[0], words[1], words[2]))
}

func reusedPod(name, addr, phase string) *corev1.Pod {
	parts := strings.Split(name, "/")
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: parts[0], Name: parts[1], UID: types.UID(parts[2])},
		Spec:       corev1.PodSpec{HostNetwork: phase == "host"},
		Status:     corev1.PodStatus{Phase: corev1.PodPhase(phase), PodIP: map[string]string{"X": addrX, "Y": addrY}[addr]},
	}
	p.Labels = map[string]string{"uid": parts[2]}
	return p
}

// clientAt returns the Pod that an address identifies, or else its Namespace.
func clientAt(wr *writer, addr string) string {
	c := wr.store.Load().Client(netip.MustParseAddr(addr))
	if c.Pod == nil {
		return c.Namespace
	}
	return strings.Join([]string{c.Namespace, c.Pod.Name, c.Pod.Labels["uid"]}, "/")
}
