package proc

import (
	"context"
	"errors"
	"log"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	quietPoll    = 250 * time.Millisecond
	quietPolls   = 12
	quietTimeout = time.Minute
	// A quiet process uses at most 5 % of one CPU, which allows for an occasional question,
	// and its RSS changes by at most 2 %.
	quietCPU = 0.05
	quietRSS = 0.02
)

// look is one reading of a process.
type look struct {
	Memory
	cpu  time.Duration
	time time.Time
}

// Rest is the state of a quiet process.
type Rest struct {
	Memory
	CPU float64 // share of one CPU that it still uses
}

// AwaitQuiet waits until a process is quiet, but no longer than quietTimeout, and returns
// its state then.
func AwaitQuiet(ctx context.Context, pid int) (Rest, error) {
	var looks []look
	err := wait.PollUntilContextTimeout(ctx, quietPoll, quietTimeout, true, func(context.Context) (bool, error) {
		now, err := lookAt(pid)
		if err != nil {
			return false, err
		}
		looks = append(looks, now)
		looks = looks[max(0, len(looks)-quietPolls):]
		return atRest(looks), nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		log.Printf("process %d did not come to rest within %s", pid, quietTimeout)
		err = nil
	}
	if err != nil {
		return Rest{}, err
	}
	return Rest{Memory: looks[len(looks)-1].Memory, CPU: cpuShare(looks)}, nil
}

func lookAt(pid int) (look, error) {
	m, err := ReadMemory(pid)
	if err != nil {
		return look{}, err
	}
	cpu, err := ReadCPU(pid)
	return look{Memory: m, cpu: cpu.Used, time: time.Now()}, err
}

func atRest(looks []look) bool {
	if len(looks) < quietPolls {
		return false
	}
	byRSS := func(a, b look) int { return int(a.RSS - b.RSS) }
	least, most := slices.MinFunc(looks, byRSS).RSS, slices.MaxFunc(looks, byRSS).RSS
	return most-least <= quietRSS*most && cpuShare(looks) <= quietCPU
}

func cpuShare(looks []look) float64 {
	first, last := looks[0], looks[len(looks)-1]
	if !last.time.After(first.time) {
		return 0
	}
	return float64(last.cpu-first.cpu) / float64(last.time.Sub(first.time))
}
