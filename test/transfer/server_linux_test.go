package transfer

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// The zones that secondaries follow: the cluster's own, and those for the world outside.
const (
	origin          = "cluster.local."
	outsideOrigin   = "outside.example."
	publishedOrigin = "published.example."
)

var origins = []string{origin, outsideOrigin, publishedOrigin}

// answerTimeout is how long one answer may take.
const answerTimeout = 10 * time.Second

// startServer starts a server of ours that notifies the secondary of changes and allows
// everybody to transfer the zone.
func startServer(t *testing.T, port, kubeconfig, secondaryPort string) *process {
	t.Helper()
	corefile := filepath.Join(t.TempDir(), "Corefile")
	text := fmt.Sprintf(`%s:%s %s:%[2]s %[6]s:%[2]s {
	bind 127.0.0.1
	errors
	kubernetes %[1]s {
		kubeconfig %[4]s
	}
	k8s_external %[3]s {
		headless
	}
	k8s_gateway %[6]s
	transfer {
		to * 127.0.0.1:%[5]s
	}
}
`, origin, port, outsideOrigin, kubeconfig, secondaryPort, publishedOrigin)
	return startCorefile(t, port, corefile, text)
}

// startCorefile starts a server of ours and waits until it transfers the zone.
func startCorefile(t *testing.T, port, path, text string) *process {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), corefileVariable+"="+path)
	p := startServerProcess(t, cmd)
	eventually(t, func() error {
		_, err := pull(port, origin)
		return err
	})
	return p
}

// zone is the content of a zone: its serial, and its other records, sorted.
type zone struct {
	serial  uint32
	records []string
}

// pull transfers the whole zone from an address that is not the secondary's, so that it
// does not change what the server knows about the secondary.
func pull(port, origin string) (*zone, error) {
	dialer := net.Dialer{Timeout: answerTimeout, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := dialer.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return nil, err
	}
	return pullFrom(conn, origin)
}

// pullFrom transfers the whole zone over a connection, and closes it.
func pullFrom(conn net.Conn, origin string) (*zone, error) {
	transfer := dns.Transfer{Conn: &dns.Conn{Conn: conn}, ReadTimeout: answerTimeout}
	envelopes, err := transfer.In(new(dns.Msg).SetAxfr(origin), "")
	if err != nil {
		return nil, err
	}
	z := new(zone)
	for e := range envelopes {
		err = errors.Join(err, e.Error)
		for _, rr := range e.RR {
			if soa, ok := rr.(*dns.SOA); ok {
				z.serial = soa.Serial
				continue
			}
			z.records = append(z.records, strings.Join(strings.Fields(rr.String()), " "))
		}
	}
	slices.Sort(z.records)
	return z, err
}

// sameZone returns an error that says how the zone of the secondary differs from that of
// the primary.
func sameZone(primaryPort, secondaryPort, origin string) error {
	want, err := pull(primaryPort, origin)
	if err != nil {
		return fmt.Errorf("primary: %w", err)
	}
	got, err := pull(secondaryPort, origin)
	switch {
	case err != nil:
		return fmt.Errorf("secondary: %w", err)
	case got.serial != want.serial:
		return fmt.Errorf("secondary has serial %d, primary %d", got.serial, want.serial)
	case !slices.Equal(got.records, want.records):
		return fmt.Errorf("serial %d: secondary has\n%s\nprimary has\n%s", got.serial,
			strings.Join(got.records, "\n"), strings.Join(want.records, "\n"))
	}
	return nil
}
