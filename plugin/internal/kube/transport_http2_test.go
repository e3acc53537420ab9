package kube

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/net/http2"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

// A server may send no more ahead of its reader than we have room for.
func TestStreamBuffer(t *testing.T) {
	window := make(chan uint32, 1)
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{NextProtos: []string{http2.NextProtoTLS}}
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		http2.NextProtoTLS: func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
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
		},
	}
	server.StartTLS()
	defer server.Close()
	about := &rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	client, d, err := newHTTPClient(about, Config{}, newReport(silence{}, clock.RealClock{}, ""), Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if response, err := client.Get(server.URL); err == nil {
		response.Body.Close()
		t.Error("no error")
	}
	if size := <-window; size != streamBuffer {
		t.Errorf("a window of %d bytes", size)
	}
}
