package commands

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// TestErrorsInJSON: whoever asks for JSON gets an object at the standard output in every case, and whoever does not
// gets words at the standard error.
func TestErrorsInJSON(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	all := map[string]Command{
		"check": Check, "doctor": Doctor, "explain": Explain,
		"top": func(args []string, _ io.Reader, out, errOut io.Writer) int { return Top(args, out, errOut) },
	}
	for _, tc := range []struct {
		command, args string
		code          int
		words         string
	}{
		{"check", "", 1, "expected one COREFILE, and not 0"},
		{"check", "a b", 1, "expected one COREFILE, and not 2"},
		{"check", "no-such-file", 1, "no-such-file"},
		{"check", "-service x a", 1, "-service"},
		{"check", "-what a", 1, "-what"},
		{"doctor", "", 4, "kubectl -n kube-system exec deploy/coredns -- /coredns doctor"},
		{"doctor", "-kubeconfig no-such-file", 4, "no-such-file"},
		{"doctor", "more", 1, "and not more"},
		{"explain", "", 1, "expected one NAME, and not 0"},
		{"explain", "-type X a", 1, "-type X: expected a type of records"},
		{"explain", "-libc bionic a", 1, "-libc bionic: expected glibc or musl"},
		{"explain", "-conf no-such-file a", 1, "no-such-file"},
		{"explain", "-kubeconfig no-such-file a", 1, "no-such-file"},
		{"explain", "-server 1 a", 1, "no server"},
		{"top", "-by type", 1, "-by type: expected namespace, client, name or rcode"},
		{"top", "-n -1", 1, "-n -1: expected a number of tables"},
		{"top", "-every 0s", 1, "-every 0s: expected a time"},
		{"top", "-server 1 -n 1", 1, "no server"},
	} {
		t.Run(tc.command+" "+tc.args, func(t *testing.T) {
			var out, errOut bytes.Buffer
			args := strings.Fields(tc.args)
			code := all[tc.command](append(args, "-o", "json"), strings.NewReader(""), &out, &errOut)
			var p problem
			if err := json.Unmarshal(out.Bytes(), &p); err != nil || p.Exit != code || code != tc.code || !strings.Contains(p.Error, tc.words) || errOut.Len() > 0 {
				t.Errorf("exit code %d, %v\n%s%s", code, err, out.String(), errOut.String())
			}
			out.Reset()
			if code := all[tc.command](args, strings.NewReader(""), &out, &errOut); code != tc.code || out.Len() > 0 || !strings.Contains(errOut.String(), tc.words) {
				t.Errorf("as text: exit code %d\n%s%s", code, out.String(), errOut.String())
			}
		})
	}
}

// A format that there is not is said in words.
func TestUnknownFormat(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := Check([]string{"-o", "yaml", "a"}, strings.NewReader(""), &out, &errOut); code != 1 || !strings.HasPrefix(errOut.String(), "-o yaml: expected text or json\nusage: coredns check") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}
