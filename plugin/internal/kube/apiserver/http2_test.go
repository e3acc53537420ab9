package apiserver

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
)

// A server may send no further ahead of its reader than the buffer has room for.
func TestStreamBuffer(t *testing.T) {
	window := make(chan uint32, 1)
	server := http2Server(t, func(conn *tls.Conn) {
		if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
			t.Error(err)
		}
		frame, err := http2.NewFramer(conn, conn).ReadFrame()
		if err != nil {
			t.Error(err)
			return
		}
		size, _ := frame.(*http2.SettingsFrame).Value(http2.SettingInitialWindowSize)
		window <- size
	})
	about := &rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	d := newDialer(time.Minute)
	defer d.close()
	client, err := newHTTPClient(about, Config{}, d, newOutageLog(new(kubetest.Recorder), clock.RealClock{}, ""), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if response, err := client.Get(server.URL); err == nil {
		response.Body.Close()
		t.Error("no error")
	}
	if size := <-window; size != streamBuffer {
		t.Errorf("a window of %d bytes", size)
	}
}

// http2Server makes a TLS server that leaves the frames of a connection to serve.
func http2Server(t *testing.T, serve func(conn *tls.Conn)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{NextProtos: []string{http2.NextProtoTLS}}
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		http2.NextProtoTLS: func(_ *http.Server, conn *tls.Conn, _ http.Handler) { serve(conn) },
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// goAway closes a connection after the first request.
func goAway(code http2.ErrCode, debug string) func(conn *tls.Conn) {
	return func(conn *tls.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		framer := http2.NewFramer(conn, conn)
		_ = framer.WriteSettings()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			if _, ok := frame.(*http2.HeadersFrame); ok {
				_ = framer.WriteGoAway(frame.Header().StreamID, code, []byte(debug))
				return
			}
		}
	}
}

// A server that closes a connection in good order is not unreachable, whatever message it
// sends.
func TestGoAway(t *testing.T) {
	for _, tc := range []struct {
		name  string
		code  http2.ErrCode
		debug string
		told  bool
	}{
		{"in good order", http2.ErrCodeNo, "", false},
		{"in bad order", http2.ErrCodeEnhanceYourCalm, "", true},
		{"with words that look like good order", http2.ErrCodeEnhanceYourCalm, "ErrCode=NO_ERROR", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, log := http2Server(t, goAway(tc.code, tc.debug)), new(kubetest.Recorder)
			about := &rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
			d := newDialer(time.Minute)
			defer d.close()
			client, err := newHTTPClient(about, Config{}, d, newOutageLog(log, clock.RealClock{}, ""), testOptions())
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Get(server.URL)
			if err == nil {
				response.Body.Close()
				t.Fatal("no error")
			}
			if told := len(log.All()) > 0; told != tc.told {
				t.Errorf("%v: log %q", err, log.All())
			}
		})
	}
}
