package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/partial"
)

var (
	platforms = []string{"linux/amd64", "linux/arm64"}
	buildTime = time.Unix(1790000000, 0)
)

// The binaries of the two differ in modification time and path, as if another machine had
// built them.
func TestSameBytesEachTime(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "a.tar"), filepath.Join(t.TempDir(), "b.tar")
	for age, output := range []string{first, second} {
		runCoreDNS(t, output, writeBinaries(t, time.Duration(age)*time.Hour))
	}
	a, b := readFile(t, first), readFile(t, second)
	if !bytes.Equal(a, b) {
		t.Error("two archives of the same binaries differ")
	}
	left, err := os.ReadDir(filepath.Dir(first))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the archive: %v, error %v", left, err)
	}
}

func TestCoreDNSImage(t *testing.T) {
	output := filepath.Join(t.TempDir(), "image.tar")
	runCoreDNS(t, output, writeBinaries(t, 0))
	entry, images := readImages(t, output)
	if got := entry.Annotations["io.containerd.image.name"]; got != "registry.example/clusterdns/coredns:1.2.3-4" {
		t.Errorf("name = %q", got)
	}
	if len(images) != len(platforms) {
		t.Fatalf("%d images, want %d", len(images), len(platforms))
	}
	for i, image := range images {
		checkConfig(t, image, platforms[i])
		checkFiles(t, image, platforms[i])
	}
}

func checkConfig(t *testing.T, image v1.Image, platform string) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := config.OS + "/" + config.Architecture; got != platform {
		t.Errorf("platform %s, want %s", got, platform)
	}
	if !config.Created.Equal(buildTime) {
		t.Errorf("created %s, want %s", config.Created, buildTime)
	}
	if c := config.Config; c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/coredns"}) || len(c.Cmd) > 0 {
		t.Errorf("user %q, entry point %q, arguments %q", c.User, c.Entrypoint, c.Cmd)
	}
	if got := config.Config.Labels["org.opencontainers.image.version"]; got != "1.2.3+4" {
		t.Errorf("label version = %q", got)
	}
}

func checkFiles(t *testing.T, image v1.Image, platform string) {
	t.Helper()
	headers, contents := readLayers(t, image)
	binary := headers["coredns"]
	if binary == nil {
		t.Fatalf("no file coredns in %v", headers)
	}
	// The output of getfattr after "setcap cap_net_bind_service=ep".
	const capability = "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	if got := binary.PAXRecords[capabilityRecord]; got != capability {
		t.Errorf("capability %x, want %x", got, capability)
	}
	if binary.Mode != 0o755 || contents["coredns"] != platform {
		t.Errorf("coredns has mode %o and content %q", binary.Mode, contents["coredns"])
	}
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(contents["etc/ssl/certs/ca-certificates.crt"])) {
		t.Error("no certificates")
	}
	if got := headers["etc/ssl/"]; got == nil || got.Typeflag != tar.TypeDir {
		t.Errorf("etc/ssl/ is %v, want a folder", got)
	}
	for name, header := range headers {
		if header.Uid != 0 || !header.ModTime.Equal(buildTime) {
			t.Errorf("%s has owner %d and time %s", name, header.Uid, header.ModTime)
		}
	}
}

func TestWrongArguments(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for want, args := range map[string][]string{
		"flag -o is missing":           {"coredns", "linux/amd64=" + missing},
		"no such file":                 {"-o", "x", "coredns", "linux/amd64=" + missing},
		"expected PLATFORM=BINARY":     {"-o", "x", "coredns", "linux/amd64"},
		"no binary given":              {"-o", "x", "coredns"},
		`expected "coredns ..."`:       {"-o", "x"},
		"expected os/architecture":     {"-o", "x", "spec", writeSpec(t, `{"Names": ["a/b:c"], "Variants": [{"Platform": "linux"}]}`)},
		"no Names":                     {"-o", "x", "spec", writeSpec(t, `{}`)},
		"no Variants":                  {"-o", "x", "spec", writeSpec(t, `{"Names": ["a/b:c"]}`)},
		"expected an absolute path":    {"-o", "x", "spec", writeSpec(t, `{"Names": ["a"], "Variants": [{"Platform": "linux/amd64", "Layers": [[{"Path": "a"}]]}]}`)},
		"spec.json: unexpected end of": {"-o", "x", "spec", writeSpec(t, `{`)},
	} {
		if err := run(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", args, err, want)
		}
	}
}

func runCoreDNS(t *testing.T, output string, binaries []string) {
	t.Helper()
	args := []string{"-o", output, "coredns", "-version", "1.2.3+4", "-commit", "abc", "-created", "1790000000"}
	if err := run(append(args, binaries...)); err != nil {
		t.Fatal(err)
	}
}

// writeBinaries writes binaries whose content is the platform's name.
func writeBinaries(t *testing.T, age time.Duration) (arguments []string) {
	t.Helper()
	for _, platform := range platforms {
		path := filepath.Join(t.TempDir(), "coredns")
		if err := os.WriteFile(path, []byte(platform), 0o700); err != nil {
			t.Fatal(err)
		}
		changed := time.Now().Add(-age)
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, platform+"="+path)
	}
	return arguments
}

func writeSpec(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spec.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readImages unpacks an archive of one named image.
func readImages(t *testing.T, archive string) (v1.Descriptor, []v1.Image) {
	t.Helper()
	dir := t.TempDir()
	for header, content := range entries(t, bytes.NewReader(readFile(t, archive))) {
		path := filepath.Join(dir, header.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("index %v, error %v, want one name", manifest, err)
	}
	inner, err := index.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	images, err := partial.FindImages(inner, func(v1.Descriptor) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return manifest.Manifests[0], images
}

func readLayers(t *testing.T, image v1.Image) (headers map[string]*tar.Header, contents map[string]string) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	headers, contents = map[string]*tar.Header{}, map[string]string{}
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for header, text := range entries(t, content) {
			headers[header.Name], contents[header.Name] = header, text
		}
		content.Close()
	}
	return headers, contents
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// entries reads a tar file.
func entries(t *testing.T, archive io.Reader) map[*tar.Header]string {
	t.Helper()
	found := map[*tar.Header]string{}
	for reader := tar.NewReader(archive); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		found[header] = string(content)
	}
}
