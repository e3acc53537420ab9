package external

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	_ "github.com/clusterdns/clusterdns/plugin/kubernetes"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

const manifest = `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Namespace, metadata: {name: back}}
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop}
  spec: {clusterIP: 10.96.0.1, externalIPs: [192.0.2.1], ports: [{name: http, port: 80}]}
- apiVersion: v1
  kind: Service
  metadata: {name: hidden, namespace: back}
  spec: {clusterIP: 10.96.0.2, externalIPs: [192.0.2.2], ports: [{name: http, port: 80}]}
`

const corefileText = `.:%s {
    bind 127.0.0.1
    transfer example.org cluster.local 192.0.2.0/24 {
        to *
    }
    kubernetes cluster.local {
        manifests %s
        namespaces shop
    }
    k8s_external example.org 192.0.2.0/24 {
        ttl 7
    }
}
`

// serve starts a server on loopback. It also returns the path of the file that the server
// reads.
func serve(t *testing.T) (addr, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, fmt.Sprintf(corefileText, "PORT", path)), path
}

// start starts a server on a free port of 127.0.0.1.
func start(t *testing.T, text string) (addr string) {
	t.Helper()
	addr = freeport.Addr(t)
	_, port, _ := net.SplitHostPort(addr)
	text = strings.ReplaceAll(text, "PORT", port)
	server, err := coredns.Start(coredns.Input(text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	server.AwaitServing()
	return addr
}

// receive requests a transfer. It replaces the serial in the SOA records by a word, because
// it is a time.
func receive(t *testing.T, addr string, question *dns.Msg) (records string, serial uint32) {
	t.Helper()
	return receiveAs(t, "127.0.0.1", addr, question)
}

// receiveAs does the same as a secondary with an address.
func receiveAs(t *testing.T, secondary, addr string, question *dns.Msg) (records string, serial uint32) {
	t.Helper()
	dialer := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(secondary)}}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	transfer := &dns.Transfer{Conn: &dns.Conn{Conn: conn}, ReadTimeout: 10 * time.Second}
	answers, err := transfer.In(question, addr)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for a := range answers {
		if a.Error != nil {
			return a.Error.Error(), 0
		}
		for _, rr := range a.RR {
			if soa, ok := rr.(*dns.SOA); ok {
				serial = soa.Serial
			}
			lines = append(lines, strings.Join(strings.Fields(rr.String()), " "))
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), fmt.Sprint(" ", serial, " "), " SERIAL "), serial
}

const (
	soaText  = "example.org. 7 IN SOA ns1.dns.example.org. hostmaster.dns.example.org. SERIAL 7200 1800 86400 7"
	zoneText = soaText + `
example.org. 7 IN NS ns1.dns.example.org.
ns1.dns.example.org. 7 IN A 127.0.0.1
web.shop.example.org. 7 IN A 192.0.2.1
web.shop.example.org. 7 IN SRV 0 100 80 web.shop.example.org.
_http._tcp.web.shop.example.org. 7 IN SRV 0 100 80 web.shop.example.org.
` + soaText
)

func TestTransfer(t *testing.T) {
	addr, _ := serve(t)
	whole, serial := receive(t, addr, new(dns.Msg).SetAxfr("example.org."))
	if whole != zoneText {
		t.Errorf("got:\n%s\nwant:\n%s", whole, zoneText)
	}
	for _, tc := range []struct {
		serial uint32
		want   string
	}{
		{serial, soaText},
		{serial + 1, soaText}, // P7: it has a newer one (RFC 1995 2)
		{serial - 1, zoneText},
	} {
		question := new(dns.Msg).SetIxfr("example.org.", tc.serial, "ns.", "host.")
		got, _ := receive(t, addr, question)
		// The server records the end of a transfer after its last message.
		for until := time.Now().Add(5 * time.Second); got != tc.want && time.Now().Before(until); {
			got, _ = receive(t, addr, question)
		}
		if got != tc.want {
			t.Errorf("serial %d at %d: got:\n%s\nwant:\n%s", tc.serial, serial, got, tc.want)
		}
	}
}

// A secondary that was sent a serial gets the changes since then.
func TestIncrementalTransfer(t *testing.T) {
	addr, path := serve(t)
	_, before := receive(t, addr, new(dns.Msg).SetAxfr("example.org."))
	replace(t, path, strings.Replace(manifest, "192.0.2.1]", "192.0.2.8]", 1))
	question := new(dns.Msg).SetIxfr("example.org.", before, "ns.", "host.")
	tick, deadline := time.NewTicker(20*time.Millisecond), time.Now().Add(10*time.Second)
	defer tick.Stop()
	got, now := receive(t, addr, question)
	for now == before && time.Now().Before(deadline) {
		<-tick.C
		got, now = receive(t, addr, question)
	}
	got = strings.ReplaceAll(got, fmt.Sprint(" ", before, " "), " BEFORE ")
	want := soaText + "\n" +
		strings.Replace(soaText, "SERIAL", "BEFORE", 1) + "\nweb.shop.example.org. 7 IN A 192.0.2.1\n" +
		soaText + "\nweb.shop.example.org. 7 IN A 192.0.2.8\n" + soaText
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	// Another secondary may have that serial from another replica.
	got, _ = receiveAs(t, "127.0.0.2", addr, question)
	if want := strings.Replace(zoneText, "192.0.2.1", "192.0.2.8", 1); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// replace replaces a file atomically.
func replace(t *testing.T, path, text string) {
	t.Helper()
	temporary := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		t.Fatal(err)
	}
}

// The zone of another plugin is left to it. There is no zone below the apex, and a reverse
// zone cannot be transferred: not all of its names are ours.
func TestTransferOfOtherZones(t *testing.T) {
	addr, _ := serve(t)
	if got, _ := receive(t, addr, new(dns.Msg).SetAxfr("cluster.local.")); !strings.HasPrefix(got, "cluster.local. 5 IN SOA ns.dns.cluster.local.") {
		t.Errorf("cluster.local: %s", got)
	}
	for _, name := range []string{"shop.example.org.", "2.0.192.in-addr.arpa.", "example.net."} {
		if got, _ := receive(t, addr, new(dns.Msg).SetAxfr(name)); !strings.Contains(got, "bad xfr rcode") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
