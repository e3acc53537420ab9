//go:build e2e

package e2e

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// endAlone ends the API server and then the server on a node, as a crash does. The kubelet
// starts the server again, which answers from its file.
func endAlone(t *testing.T, places []place) {
	own := nodeServer{Node: places[0].Node, selector: nodeSelector}
	file, container := own.stateFile(t), own.container(t)
	addr := net.JoinHostPort(own.awaitPod(t, ".status.podIP"), "53")
	eventually(t, func(context.Context) error { _, err := os.Stat(file); return err })
	stopPart(t, "kube-apiserver")
	kill(t, container)
	began := time.Now()
	var first time.Duration
	await.Success(t, 5*time.Millisecond, patience, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		connection, err := places[0].fromPod(ctx, "udp", addr)
		if err != nil {
			return err
		}
		defer connection.Close()
		reply, _, err := new(dns.Client).ExchangeWithConnContext(ctx, askKubernetes(), &dns.Conn{Conn: connection})
		if err != nil {
			return err
		}
		first = time.Since(began)
		if err := isKubernetes(reply); err != nil {
			t.Error(err) // a wrong answer is worse than none
		}
		return nil
	})
	t.Logf("the first answer came %s after the end of the server", first.Round(time.Millisecond))
}
