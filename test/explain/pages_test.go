package explain

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/commands"
)

// call is a command on a page, with its arguments.
var call = regexp.MustCompile("(?m)(?:^|[ `/])(?:coredns|kubectl clusterdns) (explain|check|doctor|top)((?: [^\\s`|#]+)*)")

// called returns the calls on the pages for users, by command and arguments.
func called(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	paths, err := filepath.Glob("doc/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "README.md") {
		if filepath.Base(path) == "design.md" {
			continue // for those who change the commands
		}
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(page), -1) {
			found[m[1]+m[2]] = append(found[m[1]+m[2]], path)
		}
	}
	return found
}

// TestPages runs each call on the pages for users. Those that need a cluster or a server are run without one, so that
// their flags are looked at.
func TestPages(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	configMap, err := os.ReadFile("deploy/kubernetes/configmap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	run := map[string]commands.Command{
		"check": commands.Check, "doctor": commands.Doctor, "explain": commands.Explain,
		"top": func(args []string, _ io.Reader, out, errOut io.Writer) int { return commands.Top(args, out, errOut) },
	}
	ran := map[string]int{}
	for text, pages := range called(t) {
		words := strings.Fields(text)
		name, args := words[0], words[1:]
		whole := name == "check" || name == "explain" && strings.Contains(text, " -conf ")
		switch {
		case len(args) == 0 && (name == "check" || name == "explain"):
			continue // only its name
		case name == "top":
			args = append(args, "-server", "1", "-n", "1")
		case !whole:
			args = append(args, "-kubeconfig", "none")
		}
		ran[name]++
		var out, errOut bytes.Buffer
		code := run[name](args, bytes.NewReader(configMap), &out, &errOut)
		if whole && (code == 1 || errOut.Len() > 0) || strings.Contains(errOut.String(), "usage:") {
			t.Errorf("%v: coredns %s: exit code %d\n%s%s", pages, text, code, out.String(), errOut.String())
		}
	}
	if ran["explain"] < 4 || ran["check"] < 2 || ran["doctor"] < 1 || ran["top"] < 1 {
		t.Errorf("calls: %v", ran)
	}
}
