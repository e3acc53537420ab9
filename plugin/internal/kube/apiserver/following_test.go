package apiserver

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/clusterdns/clusterdns/test/kit/certificate"
)

// C3: when the cluster gets a new certificate authority, the server that has a certificate of it
// is trusted as soon as the authority is in the file.
func TestC3NewAuthority(t *testing.T) {
	var certificates [2]tls.Certificate
	var authorities [2][]byte
	for i := range certificates {
		files, _ := certificate.New(t)
		cert, key, _ := strings.Cut(files, " ")
		var err error
		if certificates[i], err = tls.LoadX509KeyPair(cert, key); err != nil {
			t.Fatal(err)
		}
		if authorities[i], err = os.ReadFile(cert); err != nil {
			t.Fatal(err)
		}
	}
	var now atomic.Int32
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"kind": "ServiceList", "apiVersion": "v1"}`)
	}))
	api.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificates[now.Load()], nil }}
	api.EnableHTTP2 = true
	api.StartTLS()
	defer api.Close()

	file := write(t, t.TempDir(), "ca.crt", string(authorities[0]))
	_, port, _ := strings.Cut(strings.TrimPrefix(api.URL, "https://"), ":")
	c, client := servicesClient(t, Config{Endpoint: "https://localhost:" + port, CAFile: file}, testOptions())
	expectTrust(t, client, true)
	now.Store(1)
	c.Redial()
	expectTrust(t, client, false)
	for _, text := range []string{"", "not a certificate"} {
		write(t, filepath.Dir(file), "ca.crt", text)
		expectTrust(t, client, false)
	}
	write(t, filepath.Dir(file), "ca.crt", string(authorities[1]))
	expectTrust(t, client, true)
}

func expectTrust(t *testing.T, client rest.Interface, want bool) {
	t.Helper()
	err := client.Get().Resource("services").Do(t.Context()).Error()
	if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "x509") {
		t.Errorf("%v", err)
	}
}
