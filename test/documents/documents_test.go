package documents

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const (
	root          = "../.."
	readme        = "README.md"
	demo          = "Corefile"
	configMap     = "deploy/kubernetes/configmap.yaml"
	nodeConfigMap = "deploy/node/configmap.yaml"

	// corefileMark marks a block that is started.
	corefileMark = "corefile"
)

// leastCorefiles is the least number of Corefiles on a page, so that finding none is a
// failure.
var leastCorefiles = map[string]int{
	readme:                          1,
	"doc/check.md":                  1,
	"doc/no-aaaa.md":                1,
	"doc/published.md":              3,
	"doc/search-path.md":            1,
	"doc/top.md":                    1,
	"doc/transfer.md":               1,
	"plugin/clusterdns/README.md":   4,
	"plugin/k8s_external/README.md": 1,
	"plugin/k8s_gateway/README.md":  2,
}

// corefile is a published Corefile.
type corefile struct {
	source string // all places where it is published
	text   string
}

// documents returns the Markdown files for those who run the server.
func documents(t *testing.T) []string {
	t.Helper()
	paths := []string{readme, "CHANGELOG.md", "plugin/clusterdns/README.md", "plugin/k8s_external/README.md", "plugin/k8s_gateway/README.md"}
	err := fs.WalkDir(os.DirFS(root), "doc", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readFences(t *testing.T, path string) []fence {
	t.Helper()
	found, err := fences(readText(t, path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return found
}

// publishedCorefiles returns the Corefiles of the documents, of the demo and of the
// deployment, without repetitions.
func publishedCorefiles(t *testing.T) []corefile {
	t.Helper()
	all := []corefile{{demo, readText(t, demo)}, {configMap, configMapCorefile(t, configMap)}, {nodeConfigMap, configMapCorefile(t, nodeConfigMap)}}
	for _, path := range documents(t) {
		all = append(all, documentCorefiles(t, path)...)
	}
	var distinct []corefile
	index := map[string]int{}
	for _, c := range all {
		if i, ok := index[c.text]; ok {
			distinct[i].source += "," + c.source
			continue
		}
		index[c.text] = len(distinct)
		distinct = append(distinct, c)
	}
	return distinct
}

func documentCorefiles(t *testing.T, path string) (found []corefile) {
	t.Helper()
	for _, f := range readFences(t, path) {
		if f.mark == corefileMark {
			found = append(found, corefile{fmt.Sprintf("%s:%d", path, f.line), f.text})
		}
	}
	return found
}

func configMapCorefile(t *testing.T, path string) string {
	t.Helper()
	var object corev1.ConfigMap
	if err := yaml.UnmarshalStrict([]byte(readText(t, path)), &object); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	text := object.Data["Corefile"]
	if strings.TrimSpace(text) == "" {
		t.Fatalf("%s has no Corefile", path)
	}
	return text
}

// An unmarked Corefile is not started, so nobody would notice that it is wrong.
func TestDocumentsMarkCorefiles(t *testing.T) {
	for _, path := range documents(t) {
		for _, f := range readFences(t, path) {
			if f.mark != corefileMark && looksLikeCorefile(f.text) {
				t.Errorf("%s:%d: looks like a Corefile, but is marked %q and not %q:\n%s",
					path, f.line, f.mark, corefileMark, f.text)
			}
		}
	}
}

func TestDocumentsHaveCorefiles(t *testing.T) {
	for path, least := range leastCorefiles {
		if found := len(documentCorefiles(t, path)); found < least {
			t.Errorf("%s has %d Corefiles, want at least %d", path, found, least)
		}
	}
	for _, c := range publishedCorefiles(t) {
		if !looksLikeCorefile(c.text) {
			t.Errorf("%s is a Corefile, but the rule that finds unmarked ones does not see it:\n%s", c.source, c.text)
		}
	}
}
