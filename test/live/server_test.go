package live

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// origins are the zones of every server in these tests.
const origins = "cluster.local in-addr.arpa ip6.arpa"

// block returns a Corefile with one server block on a port that the kernel chooses, and
// with these lines in our plugin's block. No other block serves other names, so an alias to
// one of them is answered as it is. Unless a line says otherwise, a start waits as long as
// it takes to have the data, which the questions then rely on.
func block(lines ...string) string {
	return fmt.Sprintf("%s {\n bind 127.0.0.1\n errors\n kubernetes {\n  startup_timeout %s\n  %s\n }\n}\n",
		strings.ReplaceAll(origins+" ", " ", ":0 "), patience, strings.Join(lines, "\n  "))
}

// server is a CoreDNS in this process.
type server struct {
	*coredns.Server
	addr string // for DNS over UDP
	tcp  string // for DNS over TCP
}

// start starts a server that ends with the test.
func start(t *testing.T, corefile string) *server {
	t.Helper()
	instance, err := coredns.Start(coredns.Input(corefile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(instance.Stop)
	instance.AwaitServing()
	return &server{instance, instance.UDP(), instance.TCP()}
}

// reload loads another Corefile, as SIGUSR1 makes the command do.
func (s *server) reload(corefile string) error { return s.Reload(coredns.Input(corefile)) }

func (s *server) mustReload(t *testing.T, corefile string) {
	t.Helper()
	if err := s.reload(corefile); err != nil {
		t.Fatalf("reload: %v", err)
	}
	s.AwaitServing()
}

// httpClient keeps no connection open, so that it leaves no goroutine behind.
var httpClient = &http.Client{
	Timeout:   5 * time.Second,
	Transport: &http.Transport{DisableKeepAlives: true},
}

// readiness returns the answer of the plugin ready, such as "503 kubernetes".
func readiness(addr string) (string, error) {
	r, err := httpClient.Get("http://" + addr + "/ready")
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return fmt.Sprintf("%d %s", r.StatusCode, body), err
}

// awaitReadiness waits for an answer of the plugin ready.
func awaitReadiness(t *testing.T, addr, want string) {
	t.Helper()
	eventually(t, func() error {
		got, err := readiness(addr)
		if err == nil && got != want {
			err = fmt.Errorf("/ready: %s, want %s", got, want)
		}
		return err
	})
}
