package transfer

import (
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// changes are the changes that a secondary follows, some of them in each round.
const (
	changes = 1000
	rounds  = 10
)

// A secondary that follows a server gets each zone once and then differences, and ends with
// the same zone as by a whole transfer.
func TestSecondaryFollows(t *testing.T) {
	c := start(t)
	s, port := newSecondary(t), freeport.Port(t)
	startServer(t, port, c.kubeconfig, s.port)
	s.start(t, port)
	s.awaitZones(t, port)
	for range rounds {
		c.change(t, changes/rounds, port)
	}
	s.awaitZones(t, port)
	for _, origin := range origins {
		whole, increments := s.counts(t, origin)
		t.Logf("%s: %d whole transfers, %d increments", origin, whole, increments)
		if whole != 1 || increments < rounds/2 {
			t.Error("want one whole transfer, then increments")
		}
	}
}

// A secondary that is moved to another replica, or whose primary restarts, has a serial
// that the server never sent to it: it gets the whole zone, and from then on differences
// again.
func TestSecondaryMoves(t *testing.T) {
	c := start(t)
	s, first, second := newSecondary(t), freeport.Port(t), freeport.Port(t)
	one := startServer(t, first, c.kubeconfig, s.port)
	startServer(t, second, c.kubeconfig, s.port)
	s.start(t, first)
	s.awaitZones(t, first)
	c.change(t, 20, first, second)
	s.awaitZones(t, first)
	s.wantWhole(t, 1)

	s.moveTo(t, c, second, first, second)
	c.change(t, 20, first, second)
	s.awaitZones(t, second)
	s.wantWhole(t, 1)
	s.moveTo(t, c, first, first, second)

	one.stop(t)
	c.change(t, 20, second)
	startServer(t, first, c.kubeconfig, s.port)
	s.awaitZones(t, first)
	s.wantWhole(t, 2)
}

// moveTo gives a secondary another primary. Replicas have different serials; after two
// rounds of changes the new one's has passed the old one's. The second round is what
// notifies the secondary.
func (s *secondary) moveTo(t *testing.T, c *cluster, port string, replicas ...string) {
	t.Helper()
	s.stop(t)
	c.change(t, 10, replicas...)
	s.start(t, port)
	eventually(t, func() error {
		_, err := pull(s.port, origin)
		return err
	})
	c.change(t, 10, replicas...)
	s.awaitZones(t, port)
	s.wantWhole(t, 1)
}

// start starts the cluster, if there is time.
func start(t *testing.T) *cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server when it runs for the first time")
	}
	return startCluster(t)
}

// wantWhole checks how many of the transfers since the secondary's start were whole.
func (s *secondary) wantWhole(t *testing.T, want int) {
	t.Helper()
	for _, origin := range origins {
		if whole, _ := s.counts(t, origin); whole != want {
			t.Errorf("%s: %d whole transfers, want %d", origin, whole, want)
		}
	}
}
