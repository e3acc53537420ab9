package doctor

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"path"

	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// forwardPorts forwards ports of Pods as kubelet does.
func forwardPorts(out http.ResponseWriter, r *http.Request, pods map[string]netip.Addr) {
	pod := pods[path.Base(r.URL.Path)]
	if _, err := httpstream.Handshake(r, out, []string{"portforward.k8s.io"}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream, 10)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(out, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if conn == nil {
		return
	}
	defer conn.Close()
	for {
		select {
		case s := <-streams:
			if s.Headers().Get("streamType") == "data" {
				go forward(s, net.JoinHostPort(pod.String(), s.Headers().Get("port")))
			}
		case <-conn.CloseChan():
			return
		}
	}
}

// forward connects a stream with an address.
func forward(s httpstream.Stream, to string) {
	defer s.Close()
	conn, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer conn.Close()
	go func() { _, _ = io.Copy(conn, s) }()
	_, _ = io.Copy(s, conn)
}
