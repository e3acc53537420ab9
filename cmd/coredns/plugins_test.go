package main

import (
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const coredns = "github.com/coredns/coredns/"

// replaced are the stock plugins that must stay out: the stock kubernetes, and
// the stock k8s_external because it imports the other.
var replaced = []string{coredns + "plugin/kubernetes", coredns + "plugin/k8s_external"}

func TestEveryStockPluginIsLinked(t *testing.T) {
	linked := goList(t, "-f", `{{join .Imports "\n"}}`, ".", "./bundle")
	for _, path := range stockPlugins(t) {
		if !slices.Contains(linked, path) && !slices.Contains(replaced, path) {
			t.Errorf("stock plugin %s is not linked", path)
		}
	}
}

func TestReplacedPluginsAreNotLinked(t *testing.T) {
	forbidden := append([]string{coredns + "core/plugin"}, replaced...)
	for _, tags := range []string{"", "lean"} {
		for _, dep := range goList(t, "-deps", "-tags="+tags, ".") {
			if isUnderAny(dep, forbidden) {
				t.Errorf("with tags %q the build links %s", tags, dep)
			}
		}
	}
}

func TestLeanBuildLinksNoCloud(t *testing.T) {
	heavy := []string{
		"cloud.google.com/go", "github.com/Azure", "github.com/DataDog", "github.com/aws",
		"github.com/hashicorp/nomad", "github.com/openzipkin", "github.com/oschwald",
		"go.etcd.io/etcd", "google.golang.org/api",
	}
	for _, dep := range goList(t, "-deps", "-tags=lean", ".") {
		if isUnderAny(dep, heavy) {
			t.Errorf("the lean build links %s", dep)
		}
	}
}

// stockPlugins reads the import list of CoreDNS's own bundle without importing it.
func stockPlugins(t *testing.T) []string {
	t.Helper()
	dir := goList(t, "-m", "-f", "{{.Dir}}", strings.TrimSuffix(coredns, "/"))[0]
	file := filepath.Join(dir, "core", "plugin", "zplugin.go")
	bundle, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range bundle.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}

func isUnderAny(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}
