package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// TestNoAPIServer: the error of an API server that does not answer is said once, with the remedy, and in the other
// lines in short.
func TestNoAPIServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	const kubeconfig = `
apiVersion: v1
kind: Config
clusters: [{name: gone, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: gone, context: {cluster: gone}}]
current-context: gone
`
	if err := os.WriteFile(path, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), patient.Options{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range r.Results {
		want, remedy := "not looked at, for the same reason as rights: the API server does not answer", ""
		if i == 0 {
			want = "the server's ServiceAccount cannot be seen: the API server https://127.0.0.1:1 does not answer: dial tcp 127.0.0.1:1: connect: connection refused"
			remedy = "kubectl get --raw /readyz"
		}
		if one.Light != noLight || one.What != want || !strings.Contains(one.Remedy, remedy) || remedy == "" && one.Remedy != "" {
			t.Errorf("%+v, want %s", one, want)
		}
	}
	if r.Exit != ExitUnknown {
		t.Errorf("exit code %d", r.Exit)
	}
}

// TestSayOnce: errors that differ are all said.
func TestSayOnce(t *testing.T) {
	all := []Result{green("fine"), unseen("one", os.ErrExist), red("mend it", "other"), unseen("two", os.ErrClosed), unseen("three", os.ErrExist)}
	for i := range all {
		all[i].Check = string(rune('a' + i))
	}
	sayOnce(all)
	for i, want := range []string{"fine", "one cannot be seen: file already exists", "other", "two cannot be seen: file already closed", "not looked at, for the same reason as b: file already exists"} {
		if all[i].What != want {
			t.Errorf("%q, want %q", all[i].What, want)
		}
	}
}
