package apiserver

import (
	"context"
	"net"
	"time"

	"k8s.io/client-go/util/connrotation"
	"k8s.io/client-go/util/flowcontrol"
)

// dialer opens connections that can be closed all at once.
type dialer struct {
	tracked *connrotation.Dialer
	open    context.Context // until the end
	end     context.CancelFunc
	renewal flowcontrol.PassiveRateLimiter
}

// newDialer makes a dialer that renews its connections no more often than that.
func newDialer(renewals time.Duration) *dialer {
	d := &dialer{renewal: flowcontrol.NewTokenBucketPassiveRateLimiter(float32(1/renewals.Seconds()), 1), tracked: connrotation.NewDialer((&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext)}
	d.open, d.end = context.WithCancel(context.Background())
	return d
}

// dial opens a connection. The transport goes on dialling when nobody wants the
// connection any more, so the end has to be looked for here too.
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
func (d *dialer) redial() { d.tracked.CloseAll() }

// renew closes all connections, unless that has only just been done: what holds up
// one request holds up all of them.
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
