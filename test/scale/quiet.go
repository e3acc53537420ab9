package main

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	quietPoll    = 250 * time.Millisecond
	quietPolls   = 12
	quietTimeout = time.Minute
	// A quiet process uses no more than 5 % of one CPU, which leaves room for a
	// client that asks now and then, and its RSS stays within 2 %.
	quietCPU = 0.05
	quietRSS = 0.02
)

// look is one look at a process.
type look struct {
	memory
	cpu  time.Duration
	time time.Time
}

// quietness is a process at rest.
type quietness struct {
	memory
	cpu float64 // share of one CPU that it uses all the same
}

// awaitQuiet waits until a process is at rest. One that never is gets measured
// as it is after quietTimeout.
func awaitQuiet(ctx context.Context, pid int) (quietness, error) {
	var looks []look
	err := poll(ctx, quietTimeout, quietPoll, func() (bool, error) {
		now, err := lookAt(pid)
		if err != nil {
			return false, err
		}
		looks = append(looks, now)
		looks = looks[max(0, len(looks)-quietPolls):]
		return atRest(looks), nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		logf("process %d did not come to rest within %s", pid, quietTimeout)
		err = nil
	}
	if err != nil {
		return quietness{}, err
	}
	return quietness{memory: looks[len(looks)-1].memory, cpu: cpuShare(looks)}, nil
}

func lookAt(pid int) (look, error) {
	m, err := readMemory(pid)
	if err != nil {
		return look{}, err
	}
	cpu, err := readCPU(pid)
	return look{memory: m, cpu: cpu.used, time: time.Now()}, err
}

func atRest(looks []look) bool {
	if len(looks) < quietPolls {
		return false
	}
	byRSS := func(a, b look) int { return int(a.rss - b.rss) }
	least, most := slices.MinFunc(looks, byRSS).rss, slices.MaxFunc(looks, byRSS).rss
	return most-least <= quietRSS*most && cpuShare(looks) <= quietCPU
}

func cpuShare(looks []look) float64 {
	first, last := looks[0], looks[len(looks)-1]
	if !last.time.After(first.time) {
		return 0
	}
	return float64(last.cpu-first.cpu) / float64(last.time.Sub(first.time))
}
