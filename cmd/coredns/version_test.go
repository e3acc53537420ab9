package main

import "testing"

func TestModuleVersion(t *testing.T) {
	for recorded, want := range map[string]string{
		"":                            "dev",
		"(devel)":                     "dev",
		"v0.1.0":                      "0.1.0",
		"v0.1.1-0.20261122-abc+dirty": "0.1.1-0.20261122-abc.dirty",
	} {
		if got := moduleVersion(recorded); got != want {
			t.Errorf("moduleVersion(%q) = %q, want %q", recorded, got, want)
		}
	}
}
