package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// The test images. All but PureGo have a shell.
const (
	Busybox = "lab.example/busybox:1" // nslookup, nc, wget, ... of busybox, linked with glibc's static resolver
	Glibc   = "lab.example/glibc:1"   // dig, nslookup, host, getent, curl, and resolve linked with glibc
	Musl    = "lab.example/musl:1"    // resolve linked with musl
	PureGo  = "lab.example/go:1"      // resolve with Go's own resolver, and nothing else

	pause = "registry.k8s.io/pause:3.10.2"
)

// suiteImages are the names by which Kubernetes' own tests pull an image: a file system
// with a shell, dig, agnhost and CoreDNS.
var suiteImages = []string{
	"registry.k8s.io/e2e-test-images/agnhost:2.63.0",
	"registry.k8s.io/e2e-test-images/glibc-dns-testing:2.0.0",
}

// image is the specification that the command deploy/image reads.
type image struct {
	Names      []string
	Created    time.Time
	Entrypoint []string `json:",omitempty"`
	Cmd        []string `json:",omitempty"`
	Env        []string
	Variants   []variant
}

type variant struct {
	Platform string
	Layers   [][]file
}

type file struct {
	Path    string
	Mode    fs.FileMode `json:",omitempty"`
	Link    string      `json:",omitempty"`
	Source  string      `json:",omitempty"`
	Content []byte      `json:",omitempty"`
}

// testImages returns the specifications of the images, by the name of their archive. The
// programs must have been built.
func (l *Lab) testImages(programs map[string]string) (map[string]image, error) {
	shell, err := busyboxFiles()
	if err != nil {
		return nil, err
	}
	glibc, err := glibcFiles(programs)
	if err != nil {
		return nil, err
	}
	suite := append([]file{
		{Path: "/agnhost", Source: programs["agnhost"]},
		{Path: "/coredns", Source: filepath.Join(l.root, serverBinary)}, // one test starts a server of its own
		{Path: "/results", Mode: fs.ModeDir | 0o777},
	}, glibc...)
	sleep := []string{"/bin/sleep", "2147483647"}
	return map[string]image{
		"busybox": newImage([]string{Busybox}, nil, sleep, shell),
		"glibc":   newImage([]string{Glibc}, nil, sleep, shell, glibc),
		"musl":    newImage([]string{Musl}, nil, sleep, shell, []file{{Path: "/bin/resolve", Source: programs["resolve-musl"]}}),
		"go":      newImage([]string{PureGo}, []string{"/resolve"}, nil, []file{{Path: "/resolve", Source: programs["resolve-go"]}}),
		"pause":   newImage([]string{pause}, []string{"/pause"}, nil, []file{{Path: "/pause", Source: programs["pause"]}}),
		"suite":   newImage(suiteImages, []string{"/agnhost"}, []string{"pause"}, shell, suite),
	}, nil
}

func newImage(names, entrypoint, cmd []string, layers ...[]file) image {
	return image{
		Names: names, Entrypoint: entrypoint, Cmd: cmd,
		Created:  time.Unix(0, 0).UTC(),
		Env:      []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin"},
		Variants: []variant{{Platform: "linux/" + runtime.GOARCH, Layers: layers}},
	}
}

// busyboxFiles returns busybox and a link for each of its commands.
func busyboxFiles() ([]file, error) {
	list, err := exec.Command("/bin/busybox", "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("listing busybox's commands: %w", err)
	}
	files := []file{
		{Path: "/bin/busybox", Source: "/bin/busybox"},
		{Path: "/etc/passwd", Content: []byte("root:x:0:0:root:/root:/bin/sh\n")},
		{Path: "/etc/group", Content: []byte("root:x:0:\n")},
		{Path: "/tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777},
	}
	for _, name := range strings.Fields(string(list)) {
		if name != "busybox" {
			files = append(files, file{Path: "/bin/" + name, Link: "/bin/busybox"})
		}
	}
	return files, nil
}

// glibcFiles returns programs with the libraries that they need, including those that glibc
// loads by name to resolve.
func glibcFiles(programs map[string]string) ([]file, error) {
	binaries := map[string]string{"/usr/bin/resolve": programs["resolve-glibc"]}
	for _, name := range []string{"dig", "nslookup", "host", "getent", "curl"} {
		binaries["/usr/bin/"+name] = "/usr/bin/" + name
	}
	files := []file{{Path: "/etc/nsswitch.conf", Content: []byte("hosts: files dns\n")}}
	libraries := map[string]bool{}
	for path, source := range binaries {
		files = append(files, file{Path: path, Source: source})
		found, err := findLibraries(source)
		if err != nil {
			return nil, err
		}
		for _, library := range found {
			libraries[library] = true
		}
	}
	for library := range libraries {
		files = append(files, file{Path: library, Source: library})
		for _, name := range []string{"libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"} {
			beside := filepath.Join(filepath.Dir(library), name)
			if _, err := os.Stat(beside); err == nil && strings.HasPrefix(filepath.Base(library), "libc.so") && !libraries[beside] {
				files = append(files, file{Path: beside, Source: beside})
			}
		}
	}
	return files, nil
}

// findLibraries returns the paths in the output of ldd.
func findLibraries(binary string) (paths []string, err error) {
	out, err := exec.Command("ldd", binary).Output()
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w", binary, err)
	}
	for word := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(word, "/") {
			paths = append(paths, word)
		}
	}
	return paths, nil
}

// buildPrograms builds the programs in the test images, and the command that makes the
// images.
func (l *Lab) buildPrograms(ctx context.Context) (map[string]string, error) {
	programs, err := controlplane.Build(ctx, "agnhost", "ctr")
	if err != nil {
		return nil, err
	}
	const resolve = "./test/lab/images/resolve"
	static := []string{"-ldflags", "-linkmode=external -extldflags=-static"}
	for _, p := range []struct {
		name, dir, source string
		env, flags        []string
	}{
		{"image", "deploy/image", ".", []string{"CGO_ENABLED=0"}, nil},
		{"pause", "", "./test/lab/images/pause", []string{"CGO_ENABLED=0"}, nil},
		{"resolve-go", "", resolve, []string{"CGO_ENABLED=0"}, nil},
		{"resolve-glibc", "", resolve, []string{"CGO_ENABLED=1", "GODEBUG=netdns=cgo"}, []string{"-tags=netcgo"}},
		{"resolve-musl", "", resolve, []string{"CGO_ENABLED=1", "CC=musl-gcc"}, append([]string{"-tags=netcgo"}, static...)},
	} {
		path := filepath.Join(string(l.dir), "programs", p.name)
		args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", path}, p.flags...)
		cmd := exec.CommandContext(ctx, "go", append(args, p.source)...)
		cmd.Dir = filepath.Join(l.root, p.dir)
		cmd.Env = append(os.Environ(), p.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building %s: %w\n%s", p.name, err, out)
		}
		programs[p.name] = path
	}
	return programs, nil
}

// makeImage writes the archive of an image.
func (l *Lab) makeImage(ctx context.Context, imageCommand, name string, i image) (archive string, err error) {
	text, err := json.Marshal(i)
	if err != nil {
		return "", err
	}
	base := filepath.Join(string(l.dir), "images", name)
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(base+".json", text, 0o644); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, imageCommand, "-o", base+".tar", "spec", base+".json")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("image %s: %w\n%s", name, err, out)
	}
	return base + ".tar", nil
}
