package clusterdns

import (
	"strings"
	"testing"

	"github.com/coredns/caddy"
)

// The Corefile wins over the environment, and a wrong value of either stops the start.
func TestExplainProperty(t *testing.T) {
	for _, tc := range []struct {
		line, variable string
		want           bool
		fails          string // part of the error
	}{
		{"", "", false, ""},
		{"explain", "", true, ""},
		{"explain on", "off", true, ""},
		{"explain off", "on", false, ""},
		{"", " on ", true, ""},
		{"", "off", false, ""},
		{"explain /run/socket", "", false, "[on|off]"},
		{"", "yes", false, "CLUSTERDNS_EXPLAIN"},
	} {
		cfg, err := parse(caddy.NewTestController("dns", "kubernetes cluster.local {\n\n"+tc.line+"\n}"), "")
		if err == nil {
			err = cfg.explainFrom(func(string) string { return tc.variable })
		}
		switch {
		case tc.fails != "":
			if err == nil || !strings.Contains(err.Error(), tc.fails) {
				t.Errorf("%+v: %v", tc, err)
			}
		case err != nil || cfg.explain.mode != tc.want:
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

// A fault over the question of a command is its reply, and no end of the server.
func TestCommandFails(t *testing.T) {
	reply := surviving(func() []byte { panic("no such thing") })
	if string(reply) != `{"error":"it failed over this question, and serves on: no such thing"}` {
		t.Errorf("%s", reply)
	}
}
