package live

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/miekg/dns"
)

// origins are the zones of every server here.
const origins = "cluster.local in-addr.arpa ip6.arpa"

// block is a Corefile with one server block on a port that the kernel chooses.
// Its lines are those of our plugin. For all other names there is no block, so
// that an alias to one of them is answered as it is. Unless a line says otherwise, a
// start has all the time that it takes to have the data: what is asked then relies
// on it.
func block(lines ...string) string {
	return fmt.Sprintf("%s {\n bind 127.0.0.1\n errors\n kubernetes {\n  startup_timeout %s\n  %s\n }\n}\n",
		strings.ReplaceAll(origins+" ", " ", ":0 "), patience, strings.Join(lines, "\n  "))
}

// server is a CoreDNS in this process.
type server struct {
	instance *caddy.Instance
	addr     string // for DNS over UDP
	tcp      string // for DNS over TCP
}

// one keeps tests that run side by side from starting or stopping instances at
// the same time: a process does not, and caddy is not made for it.
var one sync.Mutex

// start starts a server that ends with the test.
func start(t *testing.T, corefile string) *server {
	t.Helper()
	one.Lock()
	defer one.Unlock()
	instance, err := caddy.Start(input(corefile))
	if err != nil {
		t.Fatal(err)
	}
	listener := instance.Servers()[0]
	s := &server{instance: instance, addr: listener.LocalAddr().String(), tcp: listener.Addr().String()}
	t.Cleanup(s.stop)
	s.awaitServing(t)
	return s
}

// awaitServing waits until the server reads from its sockets. CoreDNS cannot stop
// one that does not do so yet, which would then share them with its successor.
func (s *server) awaitServing(t *testing.T) {
	t.Helper()
	probe := new(dns.Msg).SetQuestion("cluster.local.", dns.TypeSOA)
	for network, addr := range map[string]string{"udp": s.addr, "tcp": s.tcp} {
		client := dns.Client{Net: network, Timeout: answerTimeout}
		if _, _, err := client.Exchange(probe, addr); err != nil {
			t.Fatal(err)
		}
	}
}

func input(corefile string) caddy.Input {
	return caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"}
}

// reload does what a signal does to the command.
func (s *server) reload(corefile string) error {
	one.Lock()
	defer one.Unlock()
	instance, err := s.instance.Restart(input(corefile))
	s.instance = instance
	return err
}

func (s *server) mustReload(t *testing.T, corefile string) {
	t.Helper()
	if err := s.reload(corefile); err != nil {
		t.Fatalf("reload: %v", err)
	}
	s.awaitServing(t)
}

// stop may be called twice.
func (s *server) stop() {
	one.Lock()
	defer one.Unlock()
	if s.instance == nil {
		return
	}
	s.instance.ShutdownCallbacks()
	_ = s.instance.Stop() // never fails
	s.instance = nil
}

// httpClient keeps no connection open, so that it leaves no goroutine behind.
var httpClient = &http.Client{
	Timeout:   5 * time.Second,
	Transport: &http.Transport{DisableKeepAlives: true},
}

// readiness is what the plugin ready answers, as in "503 kubernetes".
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
