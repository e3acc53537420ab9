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

// pauses are how long to wait before each further notification of one checkpoint that
// nobody has answered. RFC 1996 3.6 wants a secondary that was away for a minute to be
// told, and no end of packets for one that has gone.
var pauses = []time.Duration{0, 0, 5 * time.Second, 15 * time.Second, time.Minute, 2 * time.Minute}

// Notify tells the secondaries of new checkpoints (RFC 1996) until ctx ends. Each is told
// on its own, and of each zone, so that none waits for another that does not answer.
func (p *Primary) Notify(ctx context.Context) {
	var all sync.WaitGroup
	for _, s := range p.Policy.secondaries(p.origins()) {
		n := &notifier{store: p.Store, warn: p.Warn, send: s.notify, name: fmt.Sprintf("notify for zone %q was not accepted by %q", s.zone, s.addr)}
		all.Go(func() { n.run(ctx) })
	}
	all.Wait()
}

// notifier tells one secondary of the checkpoints of one zone.
type notifier struct {
	store *cluster.Store
	send  func(context.Context) (answered bool, err error)
	warn  func(text string)
	name  string // of what fails
	told  string // the trouble that the log has already
}

// run begins with the checkpoint that is there: a server that was away may have
// secondaries that are behind. While it waits for an answer, checkpoints may pass: it
// tells of the last only.
func (n *notifier) run(ctx context.Context) {
	told := uint32(0)
	for ctx.Err() == nil {
		next := n.store.NextCheckpoint()
		if s := n.store.LoadCheckpoint(); s.Synced() && s.Serial() != told {
			told = s.Serial()
			n.notify(ctx, next)
		}
		select {
		case <-ctx.Done():
		case <-next:
		}
	}
}

// notify tells of a checkpoint until it is answered, or the next one comes.
func (n *notifier) notify(ctx context.Context, next <-chan struct{}) {
	answered, err := n.send(ctx)
	for _, pause := range pauses {
		if answered || !wait(ctx, pause, next) {
			break
		}
		if pause > 0 {
			n.report(err) // it may be away for longer
		}
		answered, err = n.send(ctx)
	}
	if ctx.Err() == nil {
		n.report(err)
	}
}

// wait reports whether the pause has passed before the next checkpoint.
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

// report logs a trouble once, not for each checkpoint.
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

// notify sends one notification. Whatever the secondary answers, it has got it.
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

// withoutPorts returns an error of the network without the addresses: the port is
// another each time, and a text that is the same is logged once.
func withoutPorts(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
