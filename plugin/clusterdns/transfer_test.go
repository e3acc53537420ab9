package clusterdns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/minimal"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// P1: after a reload a zone may have other records, so it has another serial than before.
func TestP1ReloadHasASerialOfItsOwn(t *testing.T) {
	source := manifest(t)
	withTTL := func(ttl string) string {
		text := "cluster.local:0 {\n bind 127.0.0.1\n transfer {\n  to *\n }\n kubernetes {\n  ttl " + ttl + "\n  manifests " + source + "\n }\n}\n"
		return text
	}
	i := coredns.StartTest(t, withTTL("4"))
	last := awaitTransfer(t, i, "4")
	for _, ttl := range []string{"5", "6", "7"} {
		if err := i.Reload(coredns.Input(withTTL(ttl))); err != nil {
			t.Fatal(err)
		}
		serial := awaitTransfer(t, i, ttl)
		if serial <= last {
			t.Errorf("serial %d with the TTL %s after %d", serial, ttl, last)
		}
		last = serial
	}
}

// awaitTransfer transfers the zone until the SOA record has the TTL, and returns the
// serial. The socket may still pass connections to the previous instance, which is ending.
func awaitTransfer(t *testing.T, i *coredns.Server, ttl string) (serial uint32) {
	t.Helper()
	await.Success(t, 10*time.Millisecond, 10*time.Second, func(context.Context) error {
		soa, err := transferSOA(i.TCP())
		if err == nil && fmt.Sprint(soa.Hdr.Ttl) != ttl {
			err = fmt.Errorf("the TTL is %d, want %s", soa.Hdr.Ttl, ttl)
		}
		if err == nil {
			serial = soa.Serial
		}
		return err
	})
	return serial
}

// transferSOA returns the first record of a transfer.
func transferSOA(addr string) (*dns.SOA, error) {
	envelopes, err := new(dns.Transfer).In(new(dns.Msg).SetAxfr("cluster.local."), addr)
	if err != nil {
		return nil, err
	}
	var first *dns.SOA
	for e := range envelopes {
		if e.Error != nil {
			return nil, e.Error
		}
		if soa, ok := e.RR[0].(*dns.SOA); ok && first == nil {
			first = soa
		}
	}
	if first == nil {
		return nil, errors.New("the transfer has no SOA record")
	}
	return first, nil
}

// P14: a transfer of many messages is complete although minimal, which sends only the last
// one, is ahead.
func TestP14TransferBehindMinimal(t *testing.T) {
	source := manifest(t)
	var b strings.Builder
	b.WriteString("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n")
	const services = 3000
	for i := range services {
		fmt.Fprintf(&b, "---\n{apiVersion: v1, kind: Service, metadata: {name: a-rather-long-name-%d, namespace: shop}, spec: {clusterIP: 10.96.%d.%d}}\n", i, i/200, 1+i%200)
	}
	if err := os.WriteFile(source, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "cluster.local:0 {\n bind 127.0.0.1\n minimal\n transfer {\n  to *\n }\n kubernetes {\n  manifests " + source + "\n }\n}\n"
	i := coredns.StartTest(t, text)
	envelopes, err := new(dns.Transfer).In(new(dns.Msg).SetAxfr("cluster.local."), i.TCP())
	if err != nil {
		t.Fatal(err)
	}
	records := 0
	for e := range envelopes {
		if e.Error != nil {
			t.Fatal(e.Error)
		}
		records += len(e.RR)
	}
	if want := services + 4; records != want {
		t.Errorf("%d records, want %d: both SOA records, the name server with its address, and the Services", records, want)
	}
}

// D18: a handler refuses transfers, which only the plugin transfer may answer.
func TestD18HandlerRefusesTransfers(t *testing.T) {
	for _, name := range []string{"cluster.local.", "shop.svc.cluster.local.", "in-addr.arpa."} {
		if code, m := ask(t, testHandler(t), name, dns.TypeAXFR); code != dns.RcodeRefused || m != nil {
			t.Errorf("%s: %s, %v", name, dns.RcodeToString[code], m)
		}
	}
}
