package node

import (
	"slices"
	"testing"
)

func TestSettings(t *testing.T) {
	two := Settings{Nodes: 2, Proxy: "iptables", CNI: []string{"ptp"}}
	for _, s := range []Settings{DefaultSettings(), two} {
		got, err := ParseSettings(s.String())
		if err != nil || got.Nodes != s.Nodes || got.Proxy != s.Proxy || !slices.Equal(got.CNI, s.CNI) {
			t.Errorf("%s: read as %s, %v", s, got, err)
		}
	}
	for number, want := range map[int]string{1: "ptp", 2: "ptp"} {
		if got := two.plugin(number); got != want {
			t.Errorf("node %d has the plugin %s, want %s", number, got, want)
		}
	}
	for _, change := range []func(*Settings){
		func(s *Settings) { s.Nodes = 0 },
		func(s *Settings) { s.Nodes = 3 },
		func(s *Settings) { s.Proxy = "ipvs" },
		func(s *Settings) { s.CNI = nil },
		func(s *Settings) { s.CNI = []string{"bridge", "macvlan"} },
	} {
		s := DefaultSettings()
		change(&s)
		if _, err := ParseSettings(s.String()); err == nil {
			t.Errorf("%s: no error", s)
		}
	}
}
