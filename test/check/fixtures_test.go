package check

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write testdata/fixtures.txt anew")

// TestFixtures checks every file in test that is a Corefile. All of them start. What else is found is in
// testdata/fixtures.txt: the lines, what they are and the rules. A Corefile that is not there yet need only start.
func TestFixtures(t *testing.T) {
	const golden = "testdata/fixtures.txt"
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var all, got strings.Builder
	for _, path := range fixtures(t) {
		var found strings.Builder
		fmt.Fprintln(&found, filepath.ToSlash(path))
		if describe(t, &found, path) {
			t.Errorf("%s is said not to start", path)
		}
		all.WriteString(found.String())
		if strings.Contains("\n"+string(text), "\n"+filepath.ToSlash(path)+"\n") {
			got.WriteString(found.String())
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), got.String()); diff != "" {
		t.Errorf("want (-), got (+); -update writes %s anew:\n%s", golden, diff)
	}
}

// TestScripts checks the Corefiles of the scripts: only those that a script sees refused may have an error.
func TestScripts(t *testing.T) {
	for _, path := range scripts(t) {
		archive, members := unpack(t, path)
		for _, member := range members {
			refused := regexp.MustCompile(`(?m)^(! (start|reload)|refuse) ` + regexp.QuoteMeta(filepath.Base(member)) + `( |$)`).Match(archive.Comment)
			var got strings.Builder
			if describe(t, &got, member) && !refused {
				t.Errorf("%s starts %s, which is said not to start:\n%s", path, filepath.Base(member), got.String())
			}
		}
	}
}

// describe writes what is found in a Corefile but for notes about what a Corefile of a test need not have. It
// reports whether there is an error.
func describe(t *testing.T, w *strings.Builder, path string) bool {
	t.Helper()
	r, _ := check(t, path)
	for _, f := range r.Findings {
		switch f.Rule {
		case "no-errors", "no-loop", "no-ready", "no-health", "no-reload", "kubeadm":
			continue
		}
		if strings.Contains(f.What, "on this machine") { // not on each
			continue
		}
		if f.What == "" || f.Instead == "" {
			t.Errorf("%s: a finding without words: %+v", path, f)
		}
		fmt.Fprintf(w, "\t%s:%d %s %s\n", filepath.Base(f.File), f.Line, f.Severity, f.Rule)
	}
	return r.Errors > 0
}

// fixtures returns the files in test that are Corefiles.
func fixtures(t *testing.T) (paths []string) {
	t.Helper()
	walk(t, "..", func(path string) {
		if filepath.Base(path) == "Corefile" || filepath.Ext(path) == ".corefile" {
			paths = append(paths, path)
		}
	})
	if len(paths) < 20 {
		t.Fatalf("%d Corefiles, expected 20 or more", len(paths))
	}
	return append(paths, "../../Corefile")
}

// scripts returns the archives in test that have Corefiles.
func scripts(t *testing.T) (paths []string) {
	t.Helper()
	walk(t, "../script", func(path string) {
		if filepath.Ext(path) == ".txtar" {
			paths = append(paths, path)
		}
	})
	if len(paths) < 50 {
		t.Fatalf("%d scripts, expected 50 or more", len(paths))
	}
	return paths
}

func walk(t *testing.T, root string, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			visit(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// placeholders are what a script puts into its Corefile.
var placeholders = strings.NewReplacer("{PORT}", "1053", "{OTHER}", "1054", "{UPSTREAM}", "1055", "{READY}", "1056", "{HEALTH}", "1057", "{METRICS}", "1058", "{LINE}", "")

// unpack writes the files of an archive and returns those that are Corefiles.
func unpack(t *testing.T, path string) (archive *txtar.Archive, corefiles []string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		text := placeholders.Replace(string(f.Data))
		member := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(member), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(member, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(filepath.Base(f.Name), "Corefile") {
			corefiles = append(corefiles, member)
		}
	}
	return archive, corefiles
}
