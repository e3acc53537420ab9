package manifest

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// Only regular files are opened: a pipe would block the reader, and some devices have no
// end.
func TestB6IrregularFiles(t *testing.T) {
	folder := t.TempDir()
	kubetest.Write(t, folder, map[string]string{"a.yaml": kubetest.WebService, "elsewhere/b": strings.ReplaceAll(kubetest.WebService, "web", "mail")})
	in := func(name string) string { return filepath.Join(folder, name) }
	for _, err := range []error{
		syscall.Mkfifo(in("pipe.yaml"), 0o600),
		os.Symlink("/dev/zero", in("zero.json")),
		os.Symlink(in("pipe.yaml"), in("link.yml")),
		os.Symlink("elsewhere/b", in("b.yaml")),
		os.Symlink("/proc/kmsg", in(".kmsg.yaml")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// The path of a socket may have only about a hundred octets.
	t.Chdir(folder)
	l, err := net.Listen("unix", "socket.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()

	f := serve(t, config{paths: []string{folder}}, nil)
	const want = "WARNING manifests: left out, not a regular file: FOLDER/link.yml (a pipe), FOLDER/pipe.yaml (a pipe), FOLDER/socket.yaml (a socket), FOLDER/zero.json (a device)"
	if lines := f.log.All(); len(lines) != 1 || lines[0] != strings.ReplaceAll(want, "FOLDER", folder) {
		t.Errorf("log: %q", lines)
	}
	f.expect("Service shop/web[10.0.0.1]")
	f.expect("Service shop/mail[10.0.0.1]")

	if err := os.Remove(in("zero.json")); err != nil {
		t.Fatal(err)
	}
	kubetest.Write(t, folder, map[string]string{"a.yaml": strings.Replace(kubetest.WebService, "10.0.0.1", "10.0.0.20", 1)})
	f.settle()
	f.expect("Service shop/web[10.0.0.20]")
	if err := syscall.Mkfifo(in("late.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.settle()
	if lines := f.log.All(); len(lines) != 3 || !strings.Contains(lines[2], "late.yaml (a pipe)") || f.failures > 0 {
		t.Errorf("%d failures, log: %q", f.failures, lines)
	}
}

func TestB6IrregularPaths(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pipe:           "/pipe: expected a file or a folder, found a pipe",
		"/dev/zero":    "/dev/zero: expected a file or a folder, found a device",
		"/proc/uptime": "/proc/uptime:1: expected a Kubernetes object, found an empty file",
	} {
		if err := load(path); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A file that becomes a pipe after the look blocks nobody.
func TestB6FileBecomesPipe(t *testing.T) {
	folder := t.TempDir()
	kubetest.Write(t, folder, map[string]string{"a.yaml": kubetest.WebService})
	l := findFiles([]string{folder})
	path := filepath.Join(folder, "a.yaml")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.digest(t.Context()); err == nil || !strings.Contains(err.Error(), "found a pipe") {
		t.Errorf("%v", err)
	}
}

// A sparse file can be larger than any disk.
func TestB6LargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	kubetest.Write(t, filepath.Dir(path), map[string]string{"a.yaml": kubetest.WebService})
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	if err := load(path); err == nil || !strings.Contains(err.Error(), "at most 2 GiB") {
		t.Errorf("%v", err)
	}
}

const comment = "# nothing yet\n"

// At the start, a path without an object is refused.
func TestA8NoObjects(t *testing.T) {
	deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
	for _, tc := range []struct {
		name     string
		contents map[string]string
		want     string
	}{
		{"no file", nil, ": expected files whose names end in .yaml, .yml or .json, found none"},
		{"other files", map[string]string{"README": "x", ".a.yaml": kubetest.WebService}, ": expected files whose names end in .yaml, .yml or .json, found none"},
		{"a document without a value", map[string]string{"a.yaml": "null\n"}, ": expected a Service, an EndpointSlice, a Namespace, a Pod or a ServiceImport, found none"},
		{"other objects", map[string]string{"a.yaml": deployment}, ", found none; left out, of a kind that DNS does not show: apps/v1 Deployment (FOLDER/a.yaml:1)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder, good := t.TempDir(), t.TempDir()
			kubetest.Write(t, folder, tc.contents)
			kubetest.Write(t, good, map[string]string{"a.yaml": kubetest.WebService})
			err := load(good, folder)
			if err == nil || !strings.HasPrefix(err.Error(), folder+": expected") || !strings.HasSuffix(err.Error(), strings.ReplaceAll(tc.want, "FOLDER", folder)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Beside k8s_gateway, further kinds are expected.
func TestNoObjectsForTheWorld(t *testing.T) {
	folder := t.TempDir()
	kubetest.Write(t, folder, map[string]string{"a.yaml": "null\n"})
	cfg := config{paths: []string{folder}, publish: publish.Settings{Kinds: publish.Ingresses | publish.Services}.All()}
	_, err := follower(cfg, new(kubetest.Recorder), func() {}).Load()
	if want := " or a ServiceImport, or for k8s_gateway one of the kinds Ingress, found none"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want ...%s", err, want)
	}
}

// An object that is given twice counts in both places.
func TestA8ObjectGivenTwice(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	kubetest.Write(t, one, map[string]string{"a.yaml": kubetest.WebService})
	kubetest.Write(t, two, map[string]string{"a.yaml": kubetest.WebService})
	serve(t, config{paths: []string{one, two}}, nil).expect("Service shop/web[10.0.0.1]")
}

// An empty list states that there are no objects.
func TestA8EmptyList(t *testing.T) {
	f := serve(t, config{}, map[string]string{"a.yaml": "apiVersion: v1\nkind: List\nitems: []\n"})
	f.expectNone("")
}

// Files that are moved away for a second remove no name.
func TestA8FilesMoveAway(t *testing.T) {
	f := serve(t, config{}, map[string]string{"a.yaml": kubetest.WebService})
	for away, want := range map[string]string{f.path("a.bak"): "found none", f.path(".a.yaml"): "found none"} {
		before := len(f.log.All())
		if err := os.Rename(f.path("a.yaml"), away); err != nil {
			t.Fatal(err)
		}
		f.settle()
		f.settle()
		f.expect("Service shop/web[10.0.0.1]")
		if err := os.Rename(away, f.path("a.yaml")); err != nil {
			t.Fatal(err)
		}
		f.settle()
		lines := f.log.All()[before:]
		if len(lines) != 2 || !strings.HasPrefix(lines[0], "ERROR manifests cannot be read, keeping the last good state: "+f.folder) ||
			!strings.Contains(lines[0], want) || lines[1] != "INFO manifests can be read again" {
			t.Errorf("log: %q", lines)
		}
	}
	kubetest.Write(t, f.folder, map[string]string{"a.yaml": comment})
	f.settle()
	f.expect("Service shop/web[10.0.0.1]")
}
