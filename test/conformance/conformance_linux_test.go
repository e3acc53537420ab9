package conformance

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/conformance/cases"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// group is the cases for one start of the server.
type group struct{ cases.Group }

func allGroups() ([]group, error) {
	suite, err := cases.Load()
	if err != nil {
		return nil, err
	}
	found, err := suite.Groups()
	all := make([]group, len(found))
	for i, g := range found {
		all[i].Group = g
	}
	return all, err
}

func total(tests map[string]int) int {
	sum := 0
	for _, n := range tests {
		sum += n
	}
	return sum
}

// TestConformance starts the server once for each Corefile and path. The suite does the
// same, without paths.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server when it runs for the first time")
	}
	netlab.ReadSources(t)
	groups, err := allGroups()
	if err != nil {
		t.Fatal(err)
	}
	c := startCluster(t)
	done := 0
	for _, g := range groups {
		for _, p := range paths() {
			t.Run(g.Test+"/"+p.name, func(t *testing.T) { done += g.replay(t, c, p) })
		}
	}
	if want := total(cases.Tests) * len(paths()); done != want && !t.Failed() && !filtered() {
		t.Errorf("%d cases were replayed, want %d", done, want)
	}
}

// filtered reports whether subtests were selected on the command line.
func filtered() bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), "/") ||
		flag.Lookup("test.skip").Value.String() != ""
}

// replay asks the cases and returns their number.
func (g *group) replay(t *testing.T, c *cluster, p path) (done int) {
	corefile := measured(g.fill(t, c))
	client := awaitReady(t, startServer(t, corefile, t.TempDir(), append(g.env(c), p.env...)), corefile)
	defer p.wasTaken(t, corefile)
	phases := g.phases(t)
	done = replayCases(t, client, phases[""])
	if len(phases[cases.NewPhase]) > 0 {
		done += replayNew(t, c, client, phases[cases.NewPhase])
	}
	return done
}

// phases returns the cases by the phase in which they are asked.
func (g *group) phases(t *testing.T) map[string][]cases.Case {
	phases := map[string][]cases.Case{}
	for _, tc := range g.Cases {
		if tc.Phase != "" && tc.Phase != cases.NewPhase {
			t.Fatalf("%s: unknown phase %q", tc.ID, tc.Phase)
		}
		phases[tc.Phase] = append(phases[tc.Phase], tc)
	}
	return phases
}

// fill replaces what the suite had by what the test has.
func (g *group) fill(t *testing.T, c *cluster) (corefile string) {
	replacements := []string{kubeconfigPath, c.writeKubeconfig(t)}
	if g.Upstream != "" {
		replacements = append(replacements, "{{UPSTREAM}}", startUpstream(t, g.Upstream))
	}
	if g.Zonefile != "" {
		path := filepath.Join(t.TempDir(), "Zonefile")
		if err := os.WriteFile(path, []byte(g.Zonefile), 0o600); err != nil {
			t.Fatal(err)
		}
		replacements = append(replacements, "/etc/coredns/Zonefile", path)
	}
	return strings.NewReplacer(replacements...).Replace(g.Corefile)
}

// env returns the environment of the server. A server outside the cluster does not get the
// address inside.
func (g *group) env(c *cluster) []string {
	if strings.Contains(g.Corefile, "kubeconfig") {
		return nil
	}
	return c.env
}

func replayCases(t *testing.T, client cases.Client, all []cases.Case) (done int) {
	for _, tc := range all {
		t.Run(tc.Name(), func(t *testing.T) {
			done++
			for _, network := range tc.Networks() {
				if err := tc.Ask(t.Context(), client, network); err != nil {
					t.Errorf("%s (%s) over %s: %v", tc.ID, tc.Desc, network, err)
				}
			}
		})
	}
	return done
}

// replayNew asks for objects that are added and removed while the server runs. It waits for
// each change to arrive before the case counts.
func replayNew(t *testing.T, c *cluster, client cases.Client, all []cases.Case) (done int) {
	c.apply(t, newManifest)
	for _, tc := range all {
		netlab.Eventually(t, func(ctx context.Context) error { return tc.Ask(ctx, client, "udp") })
	}
	done = replayCases(t, client, all)
	c.deleteNew(t)
	for _, tc := range all {
		for _, network := range tc.Networks() {
			netlab.Eventually(t, func(ctx context.Context) error { return tc.AskGone(ctx, client, network) })
		}
	}
	return done
}
