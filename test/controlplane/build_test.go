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

var hello = source{path: "example.test/cmd/hello"}

func TestBuildOnceForAll(t *testing.T) {
	m := testModule(t, greeting)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			binary, err := m.build(t.Context(), "hello", hello)
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
	_, err := testModule(t, broken).build(t.Context(), "hello", hello)
	if err == nil || !strings.Contains(err.Error(), "undefined: undefinedFunction") {
		t.Errorf("got error %v, want what the compiler says", err)
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := testModule(t, greeting).build(ctx, "hello", hello); err == nil {
		t.Error("no error")
	}
}

func TestBinaryPathFollowsTheSources(t *testing.T) {
	m := testModule(t, greeting)
	original := m.binaryPath("hello", hello)
	if again := m.binaryPath("hello", hello); again != original {
		t.Errorf("path %s, then %s", original, again)
	}
	if m.binaryPath("hello", source{path: hello.path, isTest: true}) == original {
		t.Error("the test binary has the same path")
	}
	if m.binaryPath("hello", source{path: "example.test/cmd/other"}) == original {
		t.Error("another package has the same path")
	}
	m.goMod = append(m.goMod, "// changed"...)
	if m.binaryPath("hello", hello) == original {
		t.Error("another go.mod has the same path")
	}
}

func TestBuildTestBinary(t *testing.T) {
	m := testModule(t, greeting)
	test := "package main\n\nimport \"testing\"\n\nfunc TestHello(*testing.T) {}\n"
	if err := os.WriteFile(filepath.Join(m.dir, "cmd/hello/hello_test.go"), []byte(test), 0o644); err != nil {
		t.Fatal(err)
	}
	binary, err := m.build(t.Context(), "hello.test", source{path: hello.path, isTest: true})
	if err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(binary, "-test.v").CombinedOutput(); err != nil || !strings.Contains(string(output), "PASS: TestHello") {
		t.Errorf("the binary prints %q, error %v", output, err)
	}
}

func TestBuildUnknownCommand(t *testing.T) {
	_, err := Build(t.Context(), "kube-nothing")
	if err == nil || !strings.Contains(err.Error(), "building kube-nothing: no such command: expected one of agnhost, containerd,") {
		t.Errorf("got error %v", err)
	}
}

// The sources and the tools in the go.mod files are the same lists.
func TestSourcesAreTools(t *testing.T) {
	for command, s := range sources {
		m, err := findModule(s.dir)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(m.version, "v") {
			t.Errorf("version = %q", m.version)
		}
		if !strings.Contains(string(m.goMod), "\t"+s.path+"\n") {
			t.Errorf("%s: %s is no tool in %s/go.mod", command, s.path, m.dir)
		}
	}
}

func testModule(t *testing.T, main string) *module {
	t.Helper()
	m := &module{dir: t.TempDir(), name: kubernetesName, version: "v1.2.3", goMod: []byte("module example.test\n\ngo 1.26\n"), cache: t.TempDir()}
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
