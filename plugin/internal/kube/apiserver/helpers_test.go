package apiserver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

func newTestLog() (*OutageLog, *kubetest.Recorder, *clocktesting.FakeClock) {
	log, clock := new(kubetest.Recorder), clocktesting.NewFakeClock(time.Now())
	return newOutageLog(log, clock, "https://10.96.0.1:443"), log, clock
}

// testOptions are Options that log nothing.
func testOptions() Options {
	return Options{Log: new(kubetest.Recorder), Observe: func(Request) {}, Clock: clock.RealClock{}, Silence: time.Minute, Renewals: time.Minute}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	await.True(t, 30*time.Second, what, condition)
}

// write writes a file into a folder and returns its path.
func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// servicesClient returns a client for the group of Services.
func servicesClient(t *testing.T, config Config, opts Options) (*Client, rest.Interface) {
	t.Helper()
	c, err := New(config, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := c.REST(corev1.SchemeGroupVersion, scheme.Codecs)
	if err != nil {
		t.Fatal(err)
	}
	return c, client
}
