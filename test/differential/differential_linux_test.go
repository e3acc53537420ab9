package differential

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// lab is the environment of the servers of all Corefiles.
type lab struct {
	cluster *controlplane.Cluster
	env     []string // environment of a server
	world   *world
	tally   *tally
	least   int // least number of questions for each Corefile
}

// newLab starts the cluster, and the server outside.
func newLab(t *testing.T) *lab {
	t.Helper()
	reasons, _ := newReasons(readEntries(t), matchers)
	_, _ = reasons.addTransfers(transferMatchers), reasons.addBeside() // TestMatchersHaveEntries tells of errors
	l := &lab{cluster: startCluster(t, append(generate(*seed), generateBeside(*seed)...)), tally: newTally(reasons)}
	l.env = netlab.MountAccount(t, l.cluster, "kube-system", "coredns")
	netlab.ServeDNS(t, fmt.Sprintf("%s:53", upstreamAddr), newUpstream(t))
	var err error
	if l.world, err = readWorld(t.Context(), l.cluster.Client()); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestDifferential compares stock and ours under one Corefile after the other.
func TestDifferential(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server and stock CoreDNS when it runs for the first time")
	}
	corefiles, changing := readCorefiles(t), readCorefile(t, changingCorefile)
	l := newLab(t)
	l.least = *least / (len(corefiles) + 1)
	for i, c := range corefiles {
		t.Run(c.name, func(t *testing.T) { l.compare(t, c, uint64(i+1)) })
	}
	t.Run(changing.name, func(t *testing.T) { l.compareChanging(t, changing) })
	l.tally.report(t)
	l.tally.judge(t)
	if !filtered() {
		l.tally.judgeMatchers(t)
		l.tally.judgeCount(t, fastPath.name, chainPath.name)
	}
}

// filtered reports whether Corefiles were selected on the command line.
func filtered() bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), "/") || flag.Lookup("test.skip").Value.String() != ""
}

// compare compares stock and ours under one Corefile. The stream tells the
// questions from those of other Corefiles.
func (l *lab) compare(t *testing.T, c *corefile, stream uint64) {
	pairs := startPairs(t, c, l.env)
	s, names := newScene(c, l.world), c.names(l.world)
	if c.transfer {
		pairs[0].compareTransfers(t, s, l.tally)
	}
	for _, p := range pairs {
		p.compare(t, s, newQuiz(c, stream, names).questions(l.least), l.tally)
	}
}
