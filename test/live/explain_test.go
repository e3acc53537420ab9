package live

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// commandVariable makes a process of the tests the command coredns explain.
const commandVariable = "CLUSTERDNS_TEST_COMMAND"

// explain asks a server of this process by coredns explain, in a process of its own as in a Pod, and checks what
// it prints.
func explain(t *testing.T, wanted int, words []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-server", strconv.Itoa(os.Getpid())}, args...)...)
	cmd.Env = append(os.Environ(), commandVariable+"=yes")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != wanted {
		t.Errorf("coredns explain: exit code %d, want %d", code, wanted)
	}
	for _, w := range words {
		if !strings.Contains(string(out), w) {
			t.Errorf("coredns explain: without %q", w)
		}
	}
	if t.Failed() {
		t.Logf("\n%s", out)
	}
}
