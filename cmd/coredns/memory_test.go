package main

import (
	"errors"
	"math"
	"os"
	"runtime/debug"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestLimitMemory(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	limited := func() (uint64, error) { return 170 << 20, nil }
	for _, tc := range []struct {
		name     string
		provider memlimit.Provider
		operator string
		want     int64
	}{
		{"kubeadm's limit", limited, "", 160432128},
		{"no limit", func() (uint64, error) { return 0, memlimit.ErrNoLimit }, "", math.MaxInt64},
		{"a limit that cannot be read", func() (uint64, error) { return 0, errors.New("no cgroups") }, "", 12345},
		{"the operator's own", limited, "100MiB", 12345},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("GOMEMLIMIT", tc.operator)
			if tc.operator == "" {
				os.Unsetenv("GOMEMLIMIT")
			}
			debug.SetMemoryLimit(12345)
			limitMemory(tc.provider)
			if got := debug.SetMemoryLimit(-1); got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
}
