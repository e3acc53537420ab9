//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// suiteTimeout is for a busy machine; an idle one needs little more than a minute.
const suiteTimeout = "15m"

// suites are the DNS parts of Kubernetes' own end-to-end tests. The second one changes the
// cluster's Corefile, and deletes the DNS Pods at its end.
var suites = []struct {
	name, focus, skip string
	passed            *regexp.Regexp
}{
	{"DNS", `\[sig-network\] DNS `, `configMap|GCE`, regexp.MustCompile(`\b16 Passed \| 0 Failed`)},
	{"ConfigMap", `\[sig-network\] DNS configMap `, `IPv6`, regexp.MustCompile(`\b3 Passed \| 0 Failed`)},
}

// TestKubernetes runs Kubernetes' own tests from its release.
func TestKubernetes(t *testing.T) {
	binaries, err := controlplane.Build(t.Context(), "e2e.test")
	if err != nil {
		t.Fatal(err)
	}
	defer awaitSettled(t)
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) {
			began := time.Now()
			out, err := runSuite(t, binaries["e2e.test"], s.focus, s.skip)
			if err != nil || !s.passed.Match(out) {
				t.Fatalf("error %v, want %s:\n%s", err, s.passed, out)
			}
			t.Logf("%s in %s", s.passed.Find(out), time.Since(began).Round(time.Second))
		})
	}
}

func runSuite(t *testing.T, binary, focus, skip string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary,
		"--kubeconfig="+cluster.Kubeconfig(), "--provider=skeleton", "--num-nodes=1", "--allowed-not-ready-nodes=0", "--minStartupPods=0",
		"--ginkgo.no-color", "--ginkgo.focus="+focus, "--ginkgo.skip="+skip, "--ginkgo.timeout="+suiteTimeout)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Dir, cmd.Env = t.TempDir(), os.Environ()
	err := cluster.Within(cmd.Run)
	return out.Bytes(), err
}
