package kube

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStamped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	say := func(text string) Config {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Config{Kubeconfig: path}.Stamped()
	}
	old := say("server: a")
	if say("server: a") != old {
		t.Error("the same text makes another Watcher")
	}
	if say("server: b") == old {
		t.Error("another text shares the Watcher")
	}
	if (Config{Kubeconfig: path, CAFile: path}).Stamped() == (Config{Kubeconfig: path}).Stamped() {
		t.Error("what a file is for makes no difference")
	}
	if (Config{CAFile: "/nowhere"}).Stamped() != (Config{CAFile: "/nowhere"}).Stamped() {
		t.Error("a file that is not there differs from itself")
	}
}
