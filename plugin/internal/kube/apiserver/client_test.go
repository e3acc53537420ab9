package apiserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func kubeconfigFile(t *testing.T) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	for _, name := range []string{"one", "two"} {
		config.Clusters[name] = &clientcmdapi.Cluster{Server: "https://" + name + ".example:6443"}
		config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: "secret"}
		config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	config.CurrentContext = "one"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRESTConfig(t *testing.T) {
	path := kubeconfigFile(t)
	for _, tc := range []struct {
		cfg  Config
		host string
	}{
		{Config{Endpoint: "http://127.0.0.1:8080"}, "http://127.0.0.1:8080"},
		{Config{Kubeconfig: path}, "https://one.example:6443"},
		{Config{Kubeconfig: path, Context: "two"}, "https://two.example:6443"},
		{Config{Kubeconfig: path, Endpoint: "http://127.0.0.1:8080"}, "https://one.example:6443"},
	} {
		got, err := restConfig(tc.cfg)
		if err != nil {
			t.Errorf("%+v: %v", tc.cfg, err)
			continue
		}
		if got.Host != tc.host || got.ContentType != "application/vnd.kubernetes.protobuf" || !strings.HasPrefix(got.UserAgent, "clusterdns/") {
			t.Errorf("%+v: %s, %s, %s", tc.cfg, got.Host, got.ContentType, got.UserAgent)
		}
	}
}

func TestNewChecksFiles(t *testing.T) {
	folder := t.TempDir()
	none := filepath.Join(folder, "none")
	nonsense := write(t, folder, "nonsense", "nonsense")
	for name, cfg := range map[string]Config{
		"no such CA":         {Endpoint: "https://127.0.0.1", CAFile: none},
		"no such key":        {Endpoint: "https://127.0.0.1", CertFile: nonsense, KeyFile: none},
		"a CA that is none":  {Endpoint: "https://127.0.0.1", CAFile: nonsense},
		"no such kubeconfig": {Kubeconfig: none},
		"no such context":    {Kubeconfig: kubeconfigFile(t), Context: "three"},
		"not in a Pod":       {},
	} {
		t.Setenv("KUBERNETES_SERVICE_HOST", "")
		if _, err := New(cfg, testOptions()); err == nil {
			t.Errorf("%s: no error", name)
		} else if name == "not in a Pod" && !strings.Contains(err.Error(), "expected endpoint, kubeconfig or manifests") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// In a Pod nothing needs to be said. The token is missed, unless the test runs in a Pod itself.
func TestInCluster(t *testing.T) {
	_, noPod := os.Stat("/var/run/secrets/kubernetes.io/serviceaccount/token")
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	if _, err := New(Config{}, testOptions()); (err == nil) != (noPod == nil) || err != nil && !strings.Contains(err.Error(), "serviceaccount/token") {
		t.Errorf("%v", err)
	}
}

// What has credentials keeps them: a user in the URL comes last, as in net/http.
func TestUserInURLComesLast(t *testing.T) {
	path := kubeconfigFile(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "https://", "https://someone:else@")), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := restConfig(Config{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != "https://one.example:6443" || c.BearerToken != "secret" || c.Username != "" {
		t.Errorf("%s %s %s", c.Host, c.BearerToken, c.Username)
	}
}
