package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestAbsent: the plugins that are absent are those that a lean server leaves out.
func TestAbsent(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../coredns/plugins_full.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, path.Base(name))
	}
	if slices.Sort(want); !slices.Equal(absent, want) {
		t.Errorf("%v, want %v", absent, want)
	}
}

// TestBinary runs what make builds.
func TestBinary(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "kubectl-clusterdns")
	cmd := exec.Command("make", "-s", "-C", "../..", "kubectl-clusterdns", "KUBECTL_BIN="+bin)
	// The flags of a make above this test must not reach the one below it.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	for _, tc := range []struct {
		args []string
		in   string
		code int
		want string
	}{
		{nil, "", 1, "usage: kubectl clusterdns check|"},
		{[]string{"nonsense"}, "", 1, "usage: kubectl clusterdns check|"},
		{[]string{"doctor", "-h"}, "", 0, "usage: kubectl clusterdns doctor "},
		{[]string{"doctor", "-kubeconfig", "none"}, "", 4, "kubeconfig"},
		{[]string{"check", "-"}, ".:53 {\n errors\n nonsense\n}\n", 1, "Unknown directive"},
		{[]string{"check", "-"}, "example.org:53 {\n errors\n route53 example.org:Z1\n}\n", 0, "route53 is not in this program, only in the server"},
	} {
		var out bytes.Buffer
		cmd := exec.Command(bin, tc.args...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(tc.in), &out, &out
		_ = cmd.Run() // the exit code is looked at
		if code := cmd.ProcessState.ExitCode(); code != tc.code || !strings.Contains(out.String(), tc.want) {
			t.Errorf("%q: exit code %d, want %d and %q:\n%s", tc.args, code, tc.code, tc.want, out.String())
		}
	}
}

// TestManifest: krew's manifest names what make krew builds.
func TestManifest(t *testing.T) {
	text, err := os.ReadFile("../../deploy/krew/clusterdns.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		APIVersion, Kind string
		Metadata         struct{ Name string }
		Spec             struct {
			Version, ShortDescription string
			Platforms                 []struct {
				URI, SHA256, Bin string
				Selector         struct{ MatchLabels struct{ OS, Arch string } }
			}
		}
	}
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if m.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || m.Kind != "Plugin" || m.Metadata.Name != "clusterdns" || m.Spec.ShortDescription == "" {
		t.Errorf("%+v", m)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Spec.Platforms {
		platform := p.Selector.MatchLabels.OS + "/" + p.Selector.MatchLabels.Arch
		name := strings.ReplaceAll(platform, "/", "-")
		if !bytes.Contains(makefile, []byte(platform)) || !strings.HasSuffix(p.URI, "/VERSION/kubectl-clusterdns-"+name+".tar.gz") || p.SHA256 != "SHA256-"+name {
			t.Errorf("%s: %+v", platform, p)
		}
	}
	if len(m.Spec.Platforms) != 2 {
		t.Errorf("%d platforms", len(m.Spec.Platforms))
	}
}
