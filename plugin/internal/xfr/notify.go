package xfr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// pauses are the waits before each notification of one checkpoint while nobody answers. A
// secondary that was away for a minute must be notified (RFC 1996 3.6), but one that is
// gone must not get packets for ever.
var pauses = []time.Duration{0, 0, 5 * time.Second, 15 * time.Second, time.Minute, 2 * time.Minute}

// Notify notifies the secondaries of new checkpoints (RFC 1996) until ctx ends. It notifies
// each secondary of each zone separately, so that none waits for another that does not
// answer.
func (p *Primary) Notify(ctx context.Context) {
	var all sync.WaitGroup
	for _, served := range p.served {
		for _, s := range p.Policy.secondaries(served.names()) {
			n := &notifier{
				store: p.Store, ready: served.zones.Ready, warn: p.Warn, send: s.notify,
				name: fmt.Sprintf("notify for zone %q was not accepted by %q", s.zone, s.addr),
			}
			all.Go(func() { n.run(ctx) })
		}
	}
	all.Wait()
}

// notifier notifies one secondary of the checkpoints of one zone.
type notifier struct {
	store *cluster.Store
	ready func(*cluster.Snapshot) bool // a checkpoint has all that the zone shows
	send  func(context.Context) (answered bool, err error)
	warn  func(text string)
	name  string // name of what fails, for the log
	told  string // the last trouble that was logged
}

// run begins with the current checkpoint, because secondaries may be behind after a server
// was away. While it waits for an answer, checkpoints may pass: it announces only the last.
func (n *notifier) run(ctx context.Context) {
	told := uint32(0)
	for ctx.Err() == nil {
		next := n.store.NextCheckpoint()
		if s := n.store.LoadCheckpoint(); n.ready(s) && s.Serial() != told {
			told = s.Serial()
			n.notify(ctx, next)
		}
		select {
		case <-ctx.Done():
		case <-next:
		}
	}
}

// notify announces a checkpoint until the secondary answers, or the next checkpoint comes.
func (n *notifier) notify(ctx context.Context, next <-chan struct{}) {
	answered, err := n.send(ctx)
	for _, pause := range pauses {
		if answered || !wait(ctx, pause, next) {
			break
		}
		if pause > 0 {
			n.report(err) // the secondary may be away for longer
		}
		answered, err = n.send(ctx)
	}
	if ctx.Err() == nil {
		n.report(err)
	}
}

// wait reports whether the pause passed before the next checkpoint.
func wait(ctx context.Context, pause time.Duration, next <-chan struct{}) bool {
	if pause == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-next:
		return false
	case <-timer.C:
		return true
	}
}

// report logs a trouble once, not again for each checkpoint.
func (n *notifier) report(err error) {
	trouble := ""
	if err != nil {
		trouble = fmt.Sprintf("%s: %v", n.name, err)
	}
	if trouble != "" && trouble != n.told {
		n.warn(trouble)
	}
	n.told = trouble
}

// notify sends one notification. Any answer shows that the secondary has received it.
func (s secondary) notify(ctx context.Context) (answered bool, err error) {
	c := new(dns.Client)
	if s.source != nil {
		c.Dialer = &net.Dialer{LocalAddr: &net.UDPAddr{IP: s.source}}
	}
	reply, _, err := c.ExchangeContext(ctx, new(dns.Msg).SetNotify(s.zone), s.addr)
	switch {
	case err != nil:
		return false, withoutPorts(err)
	case reply.Rcode != dns.RcodeSuccess:
		return true, fmt.Errorf("rcode was %s", dns.RcodeToString[reply.Rcode])
	}
	return true, nil
}

// withoutPorts returns a network error without its addresses: the port differs each time,
// and equal texts are logged only once.
func withoutPorts(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
