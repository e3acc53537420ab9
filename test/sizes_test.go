package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The bounds of packages, files and functions, without tests. A package that outgrows them
// becomes two packages, not one with more files.
const (
	maxPackageLines  = 2000
	maxPackageFiles  = 25
	maxFileLines     = 600
	maxFunctionLines = 60
)

// TestSizes compares the packages of the plugins with the bounds.
func TestSizes(t *testing.T) {
	for dir, files := range pluginFiles(t) {
		for _, excess := range excesses(files) {
			t.Errorf("%s: %s", dir, excess)
		}
	}
}

// file is a source file with its text.
type file struct{ name, text string }

// pluginFiles returns the files of each package below plugin, by its folder.
func pluginFiles(t *testing.T) map[string][]file {
	t.Helper()
	packages := map[string][]file{}
	err := filepath.WalkDir("../plugin", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		packages[dir] = append(packages[dir], file{filepath.Base(path), string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// excesses returns the bounds that the files of a package exceed.
func excesses(files []file) []string {
	var found []string
	lines := 0
	for _, f := range files {
		n := strings.Count(f.text, "\n")
		if lines += n; n > maxFileLines {
			found = append(found, fmt.Sprintf("%s has %d lines", f.name, n))
		}
		found = append(found, longFunctions(f)...)
	}
	if lines > maxPackageLines {
		found = append(found, fmt.Sprintf("%d lines", lines))
	}
	if len(files) > maxPackageFiles {
		found = append(found, fmt.Sprintf("%d files", len(files)))
	}
	return found
}

func longFunctions(f file) []string {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, f.name, f.text, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for _, d := range parsed.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1; n > maxFunctionLines {
			found = append(found, fmt.Sprintf("%s: %s has %d lines", f.name, fn.Name.Name, n))
		}
	}
	return found
}

// Each bound is broken by one more than it allows, and not by one less.
func TestExcesses(t *testing.T) {
	short := file{"short.go", sourceOf(maxPackageLines/maxPackageFiles, 10)}
	for _, tc := range []struct {
		name     string
		files    []file
		excesses int
	}{
		{"nothing", nil, 0},
		{"longest file", []file{{"a.go", sourceOf(maxFileLines, 10)}}, 0},
		{"longer file", []file{{"a.go", sourceOf(maxFileLines+1, 10)}}, 1},
		{"longest function", []file{{"a.go", sourceOf(100, maxFunctionLines)}}, 0},
		{"longer function", []file{{"a.go", sourceOf(100, maxFunctionLines+1)}}, 1},
		{"largest package", slices.Repeat([]file{short}, maxPackageFiles), 0},
		{"too many files", slices.Repeat([]file{{"a.go", sourceOf(12, 10)}}, maxPackageFiles+1), 1},
		{"too many lines", append(slices.Repeat([]file{{"a.go", sourceOf(500, 10)}}, 4), file{"b.go", sourceOf(12, 10)}), 1},
		{"too many of both", slices.Repeat([]file{short}, maxPackageFiles+1), 2},
		{"no Go", []file{{"a.go", "packag a\n"}}, 1},
	} {
		if found := excesses(tc.files); len(found) != tc.excesses {
			t.Errorf("%s: %q, want %d", tc.name, found, tc.excesses)
		}
	}
}

// sourceOf returns a file with so many lines and one function.
func sourceOf(lines, function int) string {
	body := "func f() {\n" + strings.Repeat("\tf()\n", function-2) + "}\n"
	return "package a\n" + body + strings.Repeat("\n", lines-function-1)
}
