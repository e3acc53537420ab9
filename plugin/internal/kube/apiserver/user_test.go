package apiserver

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A user's kubeconfig is found as kubectl finds it.
func TestUserConfig(t *testing.T) {
	path := kubeconfigFile(t)
	for _, tc := range []struct{ variable, file, context, host string }{
		{"", path, "", "https://one.example:6443"},
		{"", path, "two", "https://two.example:6443"},
		{path, "", "", "https://one.example:6443"},
		{filepath.Join(t.TempDir(), "none") + ":" + path, "", "two", "https://two.example:6443"},
	} {
		t.Setenv("KUBECONFIG", tc.variable)
		c, err := UserConfig(tc.file, tc.context)
		if err != nil {
			t.Errorf("%+v: %v", tc, err)
			continue
		}
		if c.Host != tc.host || c.QPS != -1 || c.Timeout == 0 || !strings.HasPrefix(c.UserAgent, "clusterdns/") {
			t.Errorf("%+v: %s, %g requests a second, %s, %s", tc, c.Host, c.QPS, c.Timeout, c.UserAgent)
		}
	}
}

// Whoever has no kubeconfig is told so, and no error shows a password.
func TestUserConfigErrors(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1") // a Pod's own rights are not those of a user
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	if _, err := UserConfig("", ""); !errors.Is(err, ErrNoKubeconfig) {
		t.Errorf("without a kubeconfig: %v", err)
	}
	empty := write(t, t.TempDir(), "empty", "apiVersion: v1\nkind: Config\n")
	wantEmpty := func(file string) {
		if _, err := UserConfig(file, ""); err == nil || errors.Is(err, ErrNoKubeconfig) || !strings.Contains(err.Error(), empty+": it has no cluster") {
			t.Errorf("a kubeconfig without a cluster: %v", err)
		}
	}
	wantEmpty(empty)
	t.Setenv("KUBECONFIG", os.Getenv("KUBECONFIG")+string(filepath.ListSeparator)+empty)
	wantEmpty("")
	path := kubeconfigFile(t)
	if _, err := UserConfig(path, "three"); err == nil || !strings.Contains(err.Error(), "three") {
		t.Errorf("no such context: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secret := write(t, t.TempDir(), "kubeconfig", strings.ReplaceAll(string(text), "https://", "https://someone:pass%zzword@"))
	if _, err := UserConfig(secret, ""); err == nil || strings.Contains(err.Error(), "zzword") {
		t.Errorf("a password: %v", err)
	}
	for name, file := range map[string]string{"no such file": filepath.Join(t.TempDir(), "none"), "nonsense": write(t, t.TempDir(), "nonsense", "nonsense")} {
		if _, err := UserConfig(file, ""); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
