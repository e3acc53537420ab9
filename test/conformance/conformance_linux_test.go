package conformance

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// newPhase is when newManifest has been applied.
const newPhase = "after creating newObjects"

var networks = []string{"udp", "tcp"}

// TestConformance starts the server once for each Corefile and path, as the suite
// does but for the paths.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server when it runs for the first time")
	}
	readSources(t)
	groups, err := loadSuite(t).groups()
	if err != nil {
		t.Fatal(err)
	}
	c := startCluster(t)
	done := 0
	for _, g := range groups {
		for _, p := range paths() {
			t.Run(g.test+"/"+p.name, func(t *testing.T) { done += g.replay(t, c, p) })
		}
	}
	if want := total(replayed) * len(paths()); done != want && !t.Failed() && !filtered() {
		t.Errorf("%d cases were replayed, want %d", done, want)
	}
}

// readSources shows go test what the server is made of and what it reads: go test
// keeps a result for as long as what the test itself has read stays the same, and
// the server is no import.
func readSources(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"../../go.mod", "../../Makefile", "../../cmd", "../../plugin", "../../deploy/demo"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// filtered says whether subtests were chosen by hand.
func filtered() bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), "/") ||
		flag.Lookup("test.skip").Value.String() != ""
}

// replay returns how many cases were asked.
func (g *group) replay(t *testing.T, c *cluster, p path) (done int) {
	corefile := measured(g.fill(t, c))
	client := awaitReady(t, startServer(t, corefile, t.TempDir(), append(g.env(c), p.env...)), corefile)
	defer p.wasTaken(t, corefile)
	phases := g.phases(t)
	done = replayCases(t, client, phases[""])
	if len(phases[newPhase]) > 0 {
		done += replayNew(t, c, client, phases[newPhase])
	}
	return done
}

// phases are the cases by the phase in which they are asked.
func (g *group) phases(t *testing.T) map[string][]testCase {
	phases := map[string][]testCase{}
	for _, tc := range g.cases {
		if tc.Phase != "" && tc.Phase != newPhase {
			t.Fatalf("%s: unknown phase %q", tc.ID, tc.Phase)
		}
		phases[tc.Phase] = append(phases[tc.Phase], tc)
	}
	return phases
}

// fill puts what the test has in the place of what the suite had.
func (g *group) fill(t *testing.T, c *cluster) (corefile string) {
	replacements := []string{kubeconfigPath, c.writeKubeconfig(t)}
	if g.upstream != "" {
		replacements = append(replacements, "{{UPSTREAM}}", startUpstream(t, g.upstream))
	}
	if g.zonefile != "" {
		path := filepath.Join(t.TempDir(), "Zonefile")
		if err := os.WriteFile(path, []byte(g.zonefile), 0o600); err != nil {
			t.Fatal(err)
		}
		replacements = append(replacements, "/etc/coredns/Zonefile", path)
	}
	return strings.NewReplacer(replacements...).Replace(g.corefile)
}

// env leaves a server outside the cluster without the way inside.
func (g *group) env(c *cluster) []string {
	if strings.Contains(g.corefile, "kubeconfig") {
		return nil
	}
	return c.env
}

func replayCases(t *testing.T, client client, cases []testCase) (done int) {
	for _, tc := range cases {
		t.Run(tc.name(), func(t *testing.T) {
			done++
			for _, network := range tc.networks() {
				if err := tc.replay(t.Context(), client, network); err != nil {
					t.Errorf("%s (%s) over %s: %v", tc.ID, tc.Desc, network, err)
				}
			}
		})
	}
	return done
}

// networks are those that a case is asked over: a zone is given to TCP alone.
func (c *testCase) networks() []string {
	if c.Compare == transferRule {
		return []string{"tcp"}
	}
	return networks
}

func (c *testCase) replay(ctx context.Context, client client, network string) error {
	if c.Compare == transferRule {
		reply, err := client.transfer(ctx, c.wireName())
		if err != nil {
			return err
		}
		return c.compare(reply)
	}
	reply, err := client.ask(ctx, network, c.wireName(), dns.StringToType[c.Qtype])
	if err != nil {
		return err
	}
	return c.compare(reply)
}

// replayNew asks for objects that come and go while the server runs. It waits
// for each change to arrive before it counts what it sees.
func replayNew(t *testing.T, c *cluster, client client, cases []testCase) (done int) {
	c.apply(t, newManifest)
	for _, tc := range cases {
		netlab.Eventually(t, func(ctx context.Context) error { return tc.replay(ctx, client, "udp") })
	}
	done = replayCases(t, client, cases)
	c.deleteNew(t)
	for _, tc := range cases {
		for _, network := range networks {
			netlab.Eventually(t, func(ctx context.Context) error { return tc.checkGone(ctx, client, network) })
		}
	}
	return done
}

// checkGone wants a name to be unknown again.
func (c *testCase) checkGone(ctx context.Context, client client, network string) error {
	reply, err := client.ask(ctx, network, c.wireName(), dns.StringToType[c.Qtype])
	if err == nil && reply.Rcode != dns.RcodeNameError {
		err = fmt.Errorf("%s after its deletion has status %s, want NXDOMAIN",
			c.wireName(), dns.RcodeToString[reply.Rcode])
	}
	return err
}
