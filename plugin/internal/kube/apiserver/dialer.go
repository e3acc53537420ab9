package apiserver

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/connrotation"
	"k8s.io/client-go/util/flowcontrol"
)

// dialer opens connections that can be closed all at once.
type dialer struct {
	tracked *connrotation.Dialer
	open    context.Context // ends when the dialer closes
	end     context.CancelFunc
	renewal flowcontrol.PassiveRateLimiter
	redials atomic.Int64
}

// newDialer makes a dialer. renewals is the shortest time between two calls of renew that
// take effect.
func newDialer(renewals time.Duration) *dialer {
	d := &dialer{renewal: flowcontrol.NewTokenBucketPassiveRateLimiter(float32(1/renewals.Seconds()), 1), tracked: connrotation.NewDialer((&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext)}
	d.open, d.end = context.WithCancel(context.Background())
	return d
}

// dial opens a connection. A transport may still be dialling after its request has ended,
// so dial itself checks whether the dialer has been closed.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.open, cancel)()
	conn, err := d.tracked.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := d.open.Err(); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// redial closes all connections, so that new ones are opened.
func (d *dialer) redial() {
	d.redials.Add(1)
	d.tracked.CloseAll()
}

// renew closes all connections, unless it did so a short time ago. Connections fail
// together, so several requests call it at once.
func (d *dialer) renew() {
	if d.renewal.TryAccept() {
		d.redial()
	}
}

// close closes all connections for good.
func (d *dialer) close() {
	d.end()
	d.tracked.CloseAll()
}
