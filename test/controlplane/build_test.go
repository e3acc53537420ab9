package controlplane

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	greeting = `package main; func main() { print("hello") }`
	broken   = `package main; func main() { undefinedFunction() }`
)

func TestBuildOnceForAll(t *testing.T) {
	m := testModule(t, greeting)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			binary, err := m.build(t.Context(), "hello")
			if err != nil {
				t.Error(err)
				return
			}
			if output, err := exec.Command(binary).CombinedOutput(); err != nil || string(output) != "hello" {
				t.Errorf("the binary prints %q, error %v", output, err)
			}
		})
	}
	wg.Wait()
	left, err := filepath.Glob(filepath.Join(m.cache, "*", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("the cache holds %v (error %v), want the binary only", left, err)
	}
}

func TestBuildReportsTheCompilersWords(t *testing.T) {
	_, err := testModule(t, broken).build(t.Context(), "hello")
	if err == nil || !strings.Contains(err.Error(), "undefined: undefinedFunction") {
		t.Errorf("got error %v, want what the compiler says", err)
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := testModule(t, greeting).build(ctx, "hello"); err == nil {
		t.Error("no error")
	}
}

func TestBinaryPathFollowsTheSources(t *testing.T) {
	m := testModule(t, greeting)
	original := binaryPath(t, m)
	if again := binaryPath(t, m); again != original {
		t.Errorf("path %s, then %s", original, again)
	}
	otherMain := testModule(t, broken)
	otherMain.cache = m.cache
	if binaryPath(t, otherMain) == original {
		t.Error("another main has the same path")
	}
	m.goMod = append(m.goMod, "// changed"...)
	if binaryPath(t, m) == original {
		t.Error("another go.mod has the same path")
	}
}

func TestFindModule(t *testing.T) {
	m, err := findModule()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.version, "v1.") {
		t.Errorf("version = %q, want one of Kubernetes", m.version)
	}
}

func testModule(t *testing.T, main string) *module {
	t.Helper()
	m := &module{dir: t.TempDir(), version: "v1.2.3", goMod: []byte("module example.test\n\ngo 1.26\n"), cache: t.TempDir()}
	files := map[string]string{"go.mod": string(m.goMod), "cmd/hello/main.go": main}
	for name, content := range files {
		path := filepath.Join(m.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func binaryPath(t *testing.T, m *module) string {
	t.Helper()
	path, err := m.binaryPath("hello")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
