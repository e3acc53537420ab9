package transfer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

const secondaryCommand = "knotd"

// secondary is a Knot DNS that serves our zones.
type secondary struct {
	*process
	port string
	dir  string // folder that it keeps between two starts
}

func newSecondary(t *testing.T) *secondary {
	t.Helper()
	return &secondary{port: freeport.Port(t), dir: t.TempDir()}
}

const knotConfiguration = `
server:
    rundir: "%[1]s"
    listen: 127.0.0.1@%[2]s
log:
  - target: stderr
    any: info
database:
    storage: "%[1]s"
remote:
  - id: primary
    address: 127.0.0.1@%[3]s
acl:
  - id: loopback
    address: 127.0.0.0/8
    action: [notify, transfer]
zone:
`

const knotZone = `  - domain: %s
    storage: "%s"
    master: primary
    acl: loopback
`

// start starts the secondary of a primary at a port.
func (s *secondary) start(t *testing.T, primaryPort string) {
	t.Helper()
	path := commandPath(t, secondaryCommand)
	conf := filepath.Join(s.dir, "knot.conf")
	text := fmt.Sprintf(knotConfiguration, s.dir, s.port, primaryPort)
	for _, origin := range origins {
		text += fmt.Sprintf(knotZone, origin, s.dir)
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.process = startProcess(t, exec.Command(path, "-c", conf), syscall.SIGTERM)
}

// commandPath returns the path of a program. Debian has servers in a folder that may be
// missing from PATH.
func commandPath(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		t.Fatalf("no %s: run make secondary (%v)", name, err)
	}
	return path
}

// awaitZones waits until the secondary has the zones of a primary.
func (s *secondary) awaitZones(t *testing.T, primaryPort string) {
	t.Helper()
	for _, origin := range origins {
		eventually(t, func() error { return sameZone(primaryPort, s.port, origin) })
	}
}

// counts returns how often the secondary got a zone as a whole and by difference. A
// difference that was answered with the whole zone counts as whole.
func (s *secondary) counts(t *testing.T, origin string) (whole, increments int) {
	t.Helper()
	zone := "[" + origin + "]"
	return s.mentions(t, zone, "AXFR", "incoming", "finished"), s.mentions(t, zone, " IXFR", "incoming", "finished")
}
