package main

import "github.com/KimMachineGun/automemlimit/memlimit"

// memoryShare is the part of a container's memory limit that the garbage
// collector aims to stay within. The rest is for what it does not count: stacks
// of the kernel, and pages of the binary that are in use.
const memoryShare = 0.9

// limitMemory makes the garbage collector work harder before the kernel would kill the
// process. GOMEMLIMIT in the environment takes precedence. Without a limit, or if it cannot
// be found, nothing changes.
func limitMemory(limit memlimit.Provider) {
	_, _ = memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(limit))
}
