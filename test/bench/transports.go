package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/dnsperf"
	"github.com/clusterdns/clusterdns/test/bench/server"
)

// transport is a way to ask over connections.
type transport struct {
	title   string
	mode    string // of dnsperf
	address func(*server.Process) string
	change  func(*dnsperf.Load)
}

// full is as many questions as NodeLocal DNSCache has under way on each of its connections.
const full = 100

var transports = []transport{
	{title: "TCP", mode: "tcp", address: plain},
	{title: fmt.Sprintf("TCP, %d under way on each of %d connections", full, dnsperf.Clients), mode: "tcp", address: plain, change: fill},
	{title: "TCP, a connection for each question", mode: "tcp", address: plain, change: func(l *dnsperf.Load) { l.PerConnection = 1 }},
	{title: "DoT", mode: "dot", address: overTLS},
	{title: fmt.Sprintf("DoT, %d under way on each of %d connections", full, dnsperf.Clients), mode: "dot", address: overTLS, change: fill},
	{title: "DoH", mode: "doh", address: func(p *server.Process) string { return p.HTTPSAddress }},
}

func plain(p *server.Process) string   { return p.DNS }
func overTLS(p *server.Process) string { return p.TLSAddress }
func fill(l *dnsperf.Load)             { l.Outstanding = full * dnsperf.Clients }

// measureTransports measures TCP, TLS and HTTPS, whose connections CoreDNS accepts.
func (b *bench) measureTransports(ctx context.Context) error {
	if err := b.makeCertificate(); err != nil {
		return err
	}
	kinds := b.ofOneOptions()
	for i := range kinds {
		kinds[i].Corefile = &server.Corefile{TLS: true}
	}
	f := newFleet(b)
	defer f.stop()
	if err := f.start(ctx, kinds); err != nil {
		return err
	}
	for run := range b.runs {
		for _, t := range transports {
			log.Printf("run %d of %d: %s", run+1, b.runs, t.title)
			err := f.each(run, b.sets[0], func(p *server.Process) error { return f.measureTransport(ctx, p, t) })
			if err != nil {
				return err
			}
		}
	}
	f.reportTallies("other transports: ")
	return nil
}

func (f *fleet) measureTransport(ctx context.Context, p *server.Process, t transport) error {
	set := f.sets[0]
	load := f.load(p, set)
	load.Mode, load.Server = t.mode, t.address(p)
	if t.change != nil {
		t.change(&load)
	}
	result, err := f.runLoad(ctx, p, set, load)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", p.Kind.Name, t.title, err)
	}
	f.report.Add(fmt.Sprintf("%s over %s: CPU at saturation, µs/query", set.Title, t.title), p.Kind.Name, result.cost)
	return nil
}

// ofOneOptions returns one server of each program that watches the cluster. The others
// differ over UDP only.
func (b *bench) ofOneOptions() []server.Kind {
	chosen := map[string]server.Kind{}
	var kinds []server.Kind
	for _, kind := range b.kinds {
		program := kind.Program(b.setup)
		if _, ok := chosen[program]; !ok && kind.Watches() {
			chosen[program] = kind
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// makeCertificate writes a certificate that no client checks.
func (b *bench) makeCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	b.setup.Certificate, b.setup.Key = filepath.Join(b.dir, "tls.crt"), filepath.Join(b.dir, "tls.key")
	if err := writePEM(b.setup.Certificate, "CERTIFICATE", certificate); err != nil {
		return err
	}
	return writePEM(b.setup.Key, "PRIVATE KEY", private)
}

func writePEM(path, kind string, data []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600)
}
