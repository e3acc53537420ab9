package transfer

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/certificate"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// P7: NSD that asks for differences over UDP gets the SOA record alone, and changes to TCP.
func TestP7NSDAsksOverUDP(t *testing.T) {
	n := newNSD(t, "UDP")
	p := newPrimary(t, n.port)
	p.change(t)
	p.start(t)
	n.start(t, p.port)
	all := []peer{{name: "NSD", port: n.port}}
	for range 3 {
		p.awaitPeers(t, all)
		p.change(t)
	}
	p.awaitPeers(t, all)
}

// P8: over HTTPS, where CoreDNS would send only the last message of a transfer, a transfer
// is refused. Over TLS it is complete.
func TestP8TransferOverEncryption(t *testing.T) {
	files, trusted := certificate.New(t)
	p := newPrimary(t, "0")
	p.change(t)
	https, overTLS := freeport.Port(t), freeport.Port(t)
	text := fmt.Sprintf("https://%[1]s:%[2]s tls://%[1]s:%[3]s %[1]s:%[4]s {\n\tbind 127.0.0.1\n\ttls %[5]s\n\tkubernetes %[1]s {\n\t\tmanifests %[6]s\n\t}\n\ttransfer {\n\t\tto *\n\t}\n}\n",
		origin, https, overTLS, p.port, files, p.dir)
	startCorefile(t, p.port, filepath.Join(t.TempDir(), "Corefile"), text)

	config := &tls.Config{RootCAs: trusted, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}, Timeout: answerTimeout}
	url := "https://localhost:" + https + "/dns-query"
	if m := overHTTPS(t, client, url, new(dns.Msg).SetQuestion("web.shop.svc.cluster.local.", dns.TypeA)); len(m.Answer) != 1 {
		t.Errorf("want an address, got\n%s", m)
	}
	for _, question := range []*dns.Msg{new(dns.Msg).SetAxfr(origin), new(dns.Msg).SetIxfr(origin, 1, "ns.", "mail.")} {
		if m := overHTTPS(t, client, url, question); m.Rcode != dns.RcodeRefused || len(m.Answer) > 0 {
			t.Errorf("want REFUSED, got\n%s", m)
		}
	}

	want, err := pull(p.port, origin)
	if err != nil {
		t.Fatal(err)
	}
	config = config.Clone()
	config.NextProtos = nil // without that of HTTP
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: answerTimeout}, "tcp", "127.0.0.1:"+overTLS, config)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pullFrom(conn, origin)
	if err != nil || len(got.records) != len(want.records) {
		t.Errorf("%d records, %v, want %d", len(got.records), err, len(want.records))
	}
}

// P11: BIND and dig accept zones over TLS only if "dot" is negotiated. An answer over QUIC
// is complete whatever size the client gives for UDP, and the answer to a padded question
// is padded.
func TestP11EncryptedPeers(t *testing.T) {
	files, _ := certificate.New(t)
	b := newBind(t)
	b.zone = bindZoneOverTLS
	p := newPrimary(t, b.port)
	p.change(t)
	overTLS, overQUIC := freeport.Port(t), freeport.Port(t)
	text := fmt.Sprintf("%[1]s:%[2]s %[3]s:%[2]s %[9]s:%[2]s tls://%[1]s:%[4]s tls://%[3]s:%[4]s tls://%[9]s:%[4]s quic://%[1]s:%[5]s {\n\tbind 127.0.0.1\n\ttls %[6]s\n\tkubernetes %[1]s {\n\t\tmanifests %[7]s\n\t}\n\tk8s_external %[3]s\n\tk8s_gateway %[9]s {\n\t\tttl 5\n\t}\n\ttransfer {\n\t\tto * 127.0.0.1:%[8]s\n\t}\n}\n",
		origin, p.port, outsideOrigin, overTLS, overQUIC, files, p.dir, b.port, publishedOrigin)
	startCorefile(t, p.port, filepath.Join(t.TempDir(), "Corefile"), text)
	b.start(t, overTLS)
	b.awaitZones(t, p.port)
	p.change(t)
	eventually(t, p.shows)
	b.awaitZones(t, p.port)

	if out := run(t, "dig", "+tls", "-p", overTLS, "@127.0.0.1", origin, "AXFR"); !strings.Contains(out, "XFR size") {
		t.Errorf("dig has no zone:\n%s", out)
	}
	if out := run(t, "kdig", "+quic", "-p", overQUIC, "@127.0.0.1", origin, "AXFR"); !strings.Contains(out, "REFUSED") {
		t.Errorf("want REFUSED over QUIC:\n%s", out)
	}
	p.crowd(t, 200)
	for transport, port := range map[string]string{"+quic": overQUIC, "+tls": overTLS} {
		eventually(t, func() error {
			out := run(t, "kdig", transport, "+padding", "+bufsize=1232", "-p", port, "@127.0.0.1", "crowd.shop.svc.cluster.local", "A")
			size := 0
			if at := strings.Index(out, ";; Received "); at >= 0 {
				_, _ = fmt.Sscanf(out[at:], ";; Received %d B", &size)
			}
			if strings.Contains(out, " tc") || strings.Count(out, "IN\tA\t") != 200 || size == 0 || size%468 != 0 {
				return fmt.Errorf("%s: %d octets\n%s", transport, size, out)
			}
			return nil
		})
	}
}

// crowd adds a Service with many addresses.
func (p *primary) crowd(t *testing.T, count int) {
	t.Helper()
	text := "{apiVersion: v1, kind: Service, metadata: {name: crowd, namespace: shop}, spec: {clusterIP: None}}\n---\n" +
		"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: crowd, namespace: shop, labels: {kubernetes.io/service-name: crowd}}, addressType: IPv4, endpoints: ["
	for i := range count {
		text += fmt.Sprintf("{addresses: [10.244.0.%d]},", i+1)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "crowd.yaml"), []byte(text+"]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), commandPath(t, name), args...).CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatalf("%s %q: %v", name, args, err)
	}
	return string(out)
}

func overHTTPS(t *testing.T, client *http.Client, url string, m *dns.Msg) *dns.Msg {
	t.Helper()
	question, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, url, bytes.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/dns-message")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	answer := new(dns.Msg)
	if err == nil {
		err = answer.Unpack(body)
	}
	if err != nil || response.ProtoMajor != 2 {
		t.Fatalf("%s %s: %v: %q", response.Proto, response.Status, err, body)
	}
	return answer
}
