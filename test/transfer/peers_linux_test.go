package transfer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// peer is a secondary of any kind.
type peer struct {
	name  string
	port  string
	start func(t *testing.T, primaryPort string)
}

// peers returns a secondary of each kind. BIND and NSD have the settings of doc/peers.md with
// which they do not wait when several zones change together.
func peers(t *testing.T) []peer {
	t.Helper()
	b, k, n, c := newBind(t), newSecondary(t), newNSD(t, ""), newCoreDNS(t)
	b.option = "serial-query-rate 200;"
	return []peer{
		{"BIND", b.port, b.start},
		{"Knot DNS", k.port, k.start},
		{"NSD", n.port, n.start},
		{"CoreDNS", c.port, c.start},
	}
}

// ports returns the ports of some secondaries.
func ports(peers []peer) []string {
	var list []string
	for _, p := range peers {
		list = append(list, p.port)
	}
	return list
}

// nsd is an NSD that serves our zones.
type nsd struct {
	*process
	port, dir string
	how       string // transport of its questions: "", "UDP" or "AXFR"
}

func newNSD(t *testing.T, how string) *nsd {
	t.Helper()
	return &nsd{port: freeport.Port(t), dir: t.TempDir(), how: how}
}

const nsdConfiguration = `
server:
	ip-address: 127.0.0.1@%[2]s
	username: ""
	chroot: ""
	server-count: 1
	verbosity: 2
	xfrd-reload-timeout: 0
	database: ""
	zonesdir: "%[1]s"
	xfrdir: "%[1]s"
	xfrdfile: "%[1]s/xfrd.state"
	zonelistfile: "%[1]s/zone.list"
	pidfile: "%[1]s/nsd.pid"
remote-control:
	control-enable: no
`

const nsdZone = `
zone:
	name: %s
	request-xfr: %s 127.0.0.1@%s NOKEY
	allow-notify: 127.0.0.0/8 NOKEY
	provide-xfr: 127.0.0.0/8 NOKEY
`

func (n *nsd) start(t *testing.T, primaryPort string) {
	t.Helper()
	text := fmt.Sprintf(nsdConfiguration, n.dir, n.port)
	for _, origin := range origins {
		text += fmt.Sprintf(nsdZone, origin, n.how, primaryPort)
	}
	conf := filepath.Join(n.dir, "nsd.conf")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n.process = startProcess(t, exec.Command(commandPath(t, "nsd"), "-d", "-c", conf), syscall.SIGTERM)
}

// coreDNS is a CoreDNS that serves our zones with its plugin secondary.
type coreDNS struct{ port, dir string }

func newCoreDNS(t *testing.T) *coreDNS {
	t.Helper()
	return &coreDNS{port: freeport.Port(t), dir: t.TempDir()}
}

func (c *coreDNS) start(t *testing.T, primaryPort string) {
	t.Helper()
	text := fmt.Sprintf(`%s {
	bind 127.0.0.1
	errors
	secondary {
		transfer from 127.0.0.1:%s
	}
	transfer {
		to *
	}
}
`, strings.Join(origins, ":"+c.port+" ")+":"+c.port, primaryPort)
	startCorefile(t, c.port, filepath.Join(c.dir, "Corefile"), text)
}
