package conformance

import (
	"testing"

	"github.com/clusterdns/clusterdns/test/netlab"
)

func TestComplaint(t *testing.T) {
	for line, complains := range map[string]bool{
		"[INFO] 10.244.1.10:41 - 7 \"A IN a. udp 29 false 1232\" NOERROR qr,aa,rd 56 0.00005s": false,
		"[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API":            false,
		"W0102 03:04:05.678901       1 reflector.go:1] watch ended":                            false,
		"[ERROR] plugin/errors: 2 a. A: unreachable backend":                                   true,
		"[FATAL] plugin/loop: Loop (127.0.0.1:1 -> :53) detected":                              true,
		"E0102 03:04:05.678901       1 reflector.go:1] Failed to watch *v1.Service: forbidden": true,
		"panic: assignment to entry in nil map":                                                true,
		"fatal error: concurrent map writes":                                                   true,
	} {
		log := "CoreDNS-1\n" + line + "\nlinux/amd64\n"
		if got := netlab.Complaint.FindString(log); (got == line) != complains {
			t.Errorf("%s: found %q, want a complaint = %v", line, got, complains)
		}
	}
}

func TestParseSocket(t *testing.T) {
	const line = "   1: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 0A " +
		"00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0"
	if got, ok := parseSocket(line); !ok || got != (socket{port: 53, state: "0A", inode: "4711"}) {
		t.Errorf("got %v, %v", got, ok)
	}
	if _, ok := parseSocket("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"); ok {
		t.Error("the heading was taken for a socket")
	}
}
