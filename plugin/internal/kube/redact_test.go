package kube

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
)

const secret = "s3cret"

// withUser inserts a user and a password into a URL.
func withUser(url string) string { return strings.Replace(url, "://", "://someone:"+secret+"@", 1) }

// kubeconfigWith writes a kubeconfig file with one cluster.
func kubeconfigWith(t *testing.T, cluster *clientcmdapi.Cluster) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["one"] = cluster
	config.AuthInfos["one"] = &clientcmdapi.AuthInfo{}
	config.Contexts["one"] = &clientcmdapi.Context{Cluster: "one", AuthInfo: "one"}
	config.CurrentContext = "one"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// C4: the password in the URL of the API server is sent, as by stock CoreDNS, but no log
// line and no metric shows it, whatever the server answers.
func TestC4PasswordOfTheAPIServer(t *testing.T) {
	for name, status := range map[string]int{"nonsense": 200, "forbidden": 403, "busy": 429, "broken": 500, "away": 503, "gone": 0} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			users := map[string]int{}
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				user, password, _ := r.BasicAuth()
				mu.Lock()
				users[user+":"+password]++
				mu.Unlock()
				if status == 0 {
					panic(http.ErrAbortHandler)
				}
				w.WriteHeader(status)
				_, _ = w.Write([]byte("nonsense"))
			}))
			t.Cleanup(api.Close)
			for source, cfg := range map[string]Config{
				"endpoint":   {Endpoint: withUser(api.URL)},
				"kubeconfig": {Kubeconfig: kubeconfigWith(t, &clientcmdapi.Cluster{Server: withUser(api.URL)})},
			} {
				log, seen := new(kubetest.Recorder), newObservations()
				w, err := New(cfg, Options{Log: log, Observer: seen})
				if err != nil {
					t.Fatal(err)
				}
				stop := start(t, w)
				seen.when(t, "requests", func() bool { return len(seen.requests) > 4 })
				if status != 200 {
					eventually(t, "a line of "+source, func() bool { return len(log.All()) > 0 || status == 429 })
				}
				stop()
				for _, line := range log.All() {
					if strings.Contains(line, secret) || strings.Contains(line, "someone") {
						t.Errorf("%s: %s", source, line)
					}
				}
				for _, request := range seen.requests {
					if strings.Contains(request.Host, "@") {
						t.Errorf("%s: host %s", source, request.Host)
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if len(users) != 1 || users["someone:"+secret] == 0 {
				t.Errorf("users %v", users)
			}
		})
	}
}

// C4: the error for a URL that cannot be parsed does not repeat the password.
func TestC4PasswordInWhatCannotBeParsed(t *testing.T) {
	for _, url := range []string{
		"https://someone:" + secret + "%zz@host", "https://someone:x/" + secret + "@host", "https://someone:a " + secret + "@host",
		"someone:" + secret + "@host:port", "https://someone:" + secret + "@host:port", "https://someone:" + secret + "@[::1",
		"https://someone:" + `a"` + secret + "@ho st", "https://someone:" + secret + "#@host:x",
	} {
		for source, cfg := range map[string]Config{
			"endpoint":          {Endpoint: url},
			"kubeconfig server": {Kubeconfig: kubeconfigWith(t, &clientcmdapi.Cluster{Server: url})},
			"kubeconfig proxy":  {Kubeconfig: kubeconfigWith(t, &clientcmdapi.Cluster{Server: "https://host", ProxyURL: url})},
		} {
			if _, err := New(cfg, Options{}); err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s %s: %v", source, url, err)
			}
		}
	}
}

// C4: a proxy's password is not shown either.
func TestC4PasswordOfTheProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	t.Cleanup(proxy.Close)
	for _, server := range []string{"http://192.0.2.1:8080", "https://192.0.2.1:6443"} {
		log := new(kubetest.Recorder)
		w, err := New(Config{Kubeconfig: kubeconfigWith(t, &clientcmdapi.Cluster{Server: server, ProxyURL: withUser(proxy.URL)})}, Options{Log: log})
		if err != nil {
			t.Fatal(err)
		}
		start(t, w)
		eventually(t, "a line", func() bool { return len(log.All()) > 0 })
		for _, line := range log.All() {
			if strings.Contains(line, secret) {
				t.Error(line)
			}
		}
	}
}
