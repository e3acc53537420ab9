package transfer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// restarts is how often a server is killed within the second of a change.
const restarts = 12

// P1: a server that is killed and started again within the second of a change never
// gives its serial to other data: BIND and Knot DNS follow, in both zones.
func TestP1KilledWithinTheSecondOfAChange(t *testing.T) {
	knot, bind := newSecondary(t), newBind(t)
	p := newPrimary(t, knot.port, bind.port)
	p.change(t)
	p.start(t)
	knot.start(t, p.port)
	bind.start(t, p.port)
	for range restarts {
		p.note(t)
		knot.awaitZones(t, p.port)
		bind.awaitZones(t, p.port)
		p.change(t)
		eventually(t, p.shows)
		p.note(t)
		bind.awaitZones(t, p.port)
		p.kill()
		p.change(t)
		p.start(t)
	}
	p.note(t)
	knot.awaitZones(t, p.port)
	bind.awaitZones(t, p.port)
}

// primary is a server of ours that reads a file, with the zones that it has shown.
type primary struct {
	*process
	port, dir string
	secondary []string // ports
	source    string   // path of the file or folder that it reads
	ttl       int      // of its records
	ahead     string   // a further line of the Corefile
	address   int      // the last byte of the Service's addresses
	shown     map[string]*zone
}

func newPrimary(t *testing.T, secondaryPorts ...string) *primary {
	t.Helper()
	dir := t.TempDir()
	return &primary{port: freeport.Port(t), dir: dir, source: filepath.Join(dir, "shop.yaml"), secondary: secondaryPorts, ttl: 5, shown: map[string]*zone{}}
}

// change gives the Service other addresses. It replaces the file atomically.
func (p *primary) change(t *testing.T) {
	t.Helper()
	p.address++
	text := fmt.Sprintf(`{apiVersion: v1, kind: List, items: [
{apiVersion: v1, kind: Namespace, metadata: {name: shop}},
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop},
  spec: {type: LoadBalancer, clusterIP: 10.96.0.%[1]d, externalIPs: [192.0.2.%[1]d], ports: [{name: http, port: 80}]}},
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: wild, namespace: shop},
  spec: {rules: [{host: "*.wild.published.example"}, {host: "own%[1]d.wild.published.example"}]},
  status: {loadBalancer: {ingress: [{ip: 192.0.2.%[1]d}, {ip: "2001:db8::%[1]d"}]}}},
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: cloud, namespace: shop},
  spec: {rules: [{host: cloud.published.example}]}, status: {loadBalancer: {ingress: [{hostname: lb%[1]d.example.com}]}}},
{apiVersion: externaldns.k8s.io/v1alpha1, kind: DNSEndpoint, metadata: {name: texts, namespace: shop},
  spec: {endpoints: [{dnsName: published.example, recordType: TXT, targets: ['text \ "%[1]d"']},
    {dnsName: www.published.example, recordType: CNAME, targets: [cloud.published.example]}]}}]}
`, p.address)
	path := filepath.Join(p.dir, "new")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(p.dir, "shop.yaml")); err != nil {
		t.Fatal(err)
	}
}

func (p *primary) start(t *testing.T) {
	t.Helper()
	p.process = startCorefile(t, p.port, p.corefilePath(), p.corefile())
}

func (p *primary) corefilePath() string { return filepath.Join(p.dir, "Corefile") }

func (p *primary) corefile() string {
	return fmt.Sprintf(`%s:%s %s:%[2]s %[8]s:%[2]s {
	bind 127.0.0.1
	errors
	%[7]s
	kubernetes %[1]s {
		manifests %[4]s
		ttl %[6]d
	}
	k8s_external %[3]s {
		ttl %[6]d
	}
	k8s_gateway %[8]s {
		resources Ingress Service DNSEndpoint
		ttl %[6]d
	}
	transfer {
		to * %[5]s
	}
}
`, origin, p.port, outsideOrigin, p.source, "127.0.0.1:"+strings.Join(p.secondary, " 127.0.0.1:"), p.ttl, p.ahead, publishedOrigin)
}

// shows reports whether the zones have the last change.
func (p *primary) shows() error {
	for _, origin := range origins {
		if err := p.seenAt(p.port, origin); err != nil {
			return err
		}
	}
	return nil
}

// seenAt reports whether a server has the last change in one of the zones.
func (p *primary) seenAt(port, origin string) error {
	z, err := pull(port, origin)
	if err != nil {
		return err
	}
	if want := p.record(origin); !slices.Contains(z.records, want) {
		return fmt.Errorf("%s at port %s: no %s in\n%s", origin, port, want, strings.Join(z.records, "\n"))
	}
	return nil
}

// record returns the record that the last change has added to a zone.
func (p *primary) record(zone string) string {
	owner, network := "web.shop.svc."+origin, "10.96.0"
	if zone != origin {
		owner, network = "web.shop."+zone, "192.0.2"
	}
	return fmt.Sprintf("%s %d IN A %s.%d", owner, p.ttl, network, p.address)
}

// note fails the test if a serial has meant other records before.
func (p *primary) note(t *testing.T) {
	t.Helper()
	for _, origin := range origins {
		z, err := pull(p.port, origin)
		if err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprint(origin, z.serial)
		if before := p.shown[key]; before != nil && !slices.Equal(before.records, z.records) {
			t.Errorf("serial %d of %s meant\n%s\nand now\n%s", z.serial, origin,
				strings.Join(before.records, "\n"), strings.Join(z.records, "\n"))
		}
		p.shown[key] = z
	}
}

const bindCommand = "named"

// bind is a BIND that serves our zones.
type bind struct {
	*process
	port   string
	dir    string
	zone   string // directive of a secondary zone
	option string
}

func newBind(t *testing.T) *bind {
	t.Helper()
	return &bind{port: freeport.Port(t), dir: t.TempDir(), zone: bindZone}
}

const bindConfiguration = `
options {
	directory "%s";
	listen-on port %s { 127.0.0.1; };
	listen-on-v6 { none; };
	pid-file none;
	session-keyfile none;
	recursion no;
	notify no;
	allow-transfer { 127.0.0.0/8; };
	%s
};
controls { };
`

const bindZone = `zone "%s" {
	type secondary;
	primaries { 127.0.0.1 port %s; };
};
`

const bindZoneOverTLS = `zone "%s" {
	type secondary;
	primaries { 127.0.0.1 port %s tls ephemeral; };
};
`

func (b *bind) start(t *testing.T, primaryPort string) {
	t.Helper()
	text := fmt.Sprintf(bindConfiguration, b.dir, b.port, b.option)
	for _, origin := range origins {
		text += fmt.Sprintf(b.zone, origin, primaryPort)
	}
	conf := filepath.Join(b.dir, "named.conf")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.process = startProcess(t, exec.Command(commandPath(t, bindCommand), "-g", "-c", conf), syscall.SIGTERM)
}

// awaitZones waits until the secondary has the zones of a primary.
func (b *bind) awaitZones(t *testing.T, primaryPort string) {
	t.Helper()
	for _, origin := range origins {
		eventually(t, func() error { return sameZone(primaryPort, b.port, origin) })
	}
}
