package apiserver

import (
	"bytes"
	"net/http"
	"os"
	"sync"
)

// following is a transport that follows the file with the API server's certificate authority.
// A cluster may get a new authority while we run, and the kubelet writes it into the file that
// every Pod has. Nothing but a new transport trusts it.
type following struct {
	file  string // "" if the authority is in no file
	build func() (*http.Transport, error)

	mu        sync.Mutex
	authority []byte // the text of the file that transport trusts
	transport *http.Transport
}

// newFollowing makes a following. build makes a transport that trusts what is in the file then.
func newFollowing(file string, build func() (*http.Transport, error)) (*following, error) {
	f := &following{file: file, build: build}
	f.authority = f.read()
	var err error
	f.transport, err = build()
	return f, err
}

// read returns the text of the file, or nil if it cannot be read.
func (f *following) read() []byte {
	if f.file == "" {
		return nil
	}
	text, _ := os.ReadFile(f.file)
	return text
}

// RoundTrip sends a request.
func (f *following) RoundTrip(r *http.Request) (*http.Response, error) {
	return f.current().RoundTrip(r)
}

// current returns the transport that trusts what is in the file now. A file that is being
// written, or has no certificate in it, changes nothing. Requests are few, so the file is read for
// each.
func (f *following) current() *http.Transport {
	text := f.read()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(text) == 0 || bytes.Equal(text, f.authority) {
		return f.transport
	}
	if next, err := f.build(); err == nil {
		f.transport.CloseIdleConnections()
		f.transport, f.authority = next, text
	}
	return f.transport
}
