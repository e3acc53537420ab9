package openloop

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// sockets is as many as dnsperf has here.
	sockets = 16
	// lead is the time to prepare before the first question is due.
	lead = 20 * time.Millisecond
	// shortest is the least time that is worth a sleep.
	shortest = 10 * time.Microsecond
)

// run is one load in progress. Times are in nanoseconds of the wall clock, which the kernel
// uses for the timestamps of datagrams.
type run struct {
	load    Load
	sockets [sockets]int
	// pending is the number plus one of the question with an id on a socket; 0 for none.
	pending  [sockets][1 << 16]atomic.Int32
	due      []int64
	took     []int64 // 0 while there is no answer
	late     []time.Duration
	answered atomic.Int64
	done     atomic.Bool // nothing left to wait for
}

// Run sends the load, and waits for the answers.
func Run(ctx context.Context, l Load) (Result, error) {
	r := &run{load: l, due: schedule(l)}
	r.took = make([]int64, len(r.due))
	if len(r.due) == 0 || len(l.Questions) == 0 {
		return Result{}, errors.New("a load of no questions")
	}
	defer r.close()
	if err := r.open(); err != nil {
		return Result{}, err
	}
	received := make(chan error, 1)
	go func() { received <- r.receive() }()
	sendErr := r.send(ctx)
	r.awaitAnswers(ctx)
	r.done.Store(true)
	if err := errors.Join(sendErr, <-received, ctx.Err()); err != nil {
		return Result{}, err
	}
	return r.result(), nil
}

// schedule returns when each question is due, from 0.
func schedule(l Load) []int64 {
	random := rand.New(rand.NewPCG(l.Seed, 0))
	mean := float64(time.Second) / float64(l.Rate)
	var due []int64
	for at := 0.0; at < float64(l.Time); at += random.ExpFloat64() * mean {
		due = append(due, int64(at))
	}
	return due
}

func (r *run) send(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := exactTimers(); err != nil {
		return err
	}
	start := time.Now().Add(lead).UnixNano()
	r.late = make([]time.Duration, 0, len(r.due))
	for i := range r.due {
		r.due[i] += start
		now := time.Now().UnixNano()
		for ; now < r.due[i]; now = time.Now().UnixNano() {
			sleep(time.Duration(r.due[i] - now))
		}
		r.late = append(r.late, time.Duration(now-r.due[i]))
		if err := r.ask(i); err != nil {
			return err
		}
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// exactTimers makes this thread's timers fire when they are due. By default they may be 50
// microseconds late, which saves energy.
func exactTimers() error {
	const setTimerSlack, nanosecond = 29, 1 // PR_SET_TIMERSLACK of prctl(2)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, nanosecond, 0); errno != 0 {
		return fmt.Errorf("setting the slack of timers: %w", errno)
	}
	return nil
}

// sleep sleeps for about d. It may return early: the caller checks the clock again.
func sleep(d time.Duration) {
	if d > shortest {
		ts := syscall.NsecToTimespec(int64(d - shortest/2))
		syscall.Nanosleep(&ts, nil) //nolint:errcheck // interrupted
	}
}

func (r *run) ask(i int) error {
	message := r.load.Questions[i%len(r.load.Questions)]
	socket, id := i%sockets, uint16(i/sockets)
	binary.BigEndian.PutUint16(message, id)
	r.pending[socket][id].Store(int32(i + 1))
	_, err := syscall.Write(r.sockets[socket], message)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return nil // the same as lost on the way
	}
	return err
}

func (r *run) awaitAnswers(ctx context.Context) {
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for r.answered.Load() < int64(len(r.late)) {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			return
		case <-ticker.C:
		}
	}
}

func (r *run) result() Result {
	result := Result{Sent: len(r.due), Late: r.late}
	for _, took := range r.took {
		if took == 0 {
			result.Unanswered++
			took = int64(Patience)
		}
		result.Times = append(result.Times, time.Duration(took))
	}
	slices.Sort(result.Times)
	slices.Sort(result.Late)
	return result
}
