package test

import (
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDesignNamesRealFiles checks that the files named in the design page exist.
func TestDesignNamesRealFiles(t *testing.T) {
	table := section(t, "## Open this file")
	paths := regexp.MustCompile("`([a-z0-9_/]+\\.(?:go|md))`").FindAllStringSubmatch(table, -1)
	if len(paths) < 10 {
		t.Fatalf("%d paths in the table, expected ten or more", len(paths))
	}
	for _, match := range paths {
		path := match[1]
		if !strings.HasPrefix(path, "plugin/") && !strings.HasPrefix(path, "cmd/") {
			path = "plugin/internal/" + path
		}
		if _, err := os.Stat(filepath.Join("..", path)); err != nil {
			t.Errorf("doc/design.md: %s does not exist", path)
		}
	}
}

// TestDesignListsEachRoom fails for a package that the table of packages leaves out.
func TestDesignListsEachRoom(t *testing.T) {
	house := section(t, "## The house")
	listed := func(indent, name string) {
		if !strings.Contains(house, "\n"+indent+name+"/ ") {
			t.Errorf("doc/design.md: the house has no line for %s", name)
		}
	}
	for room := range foldersWithSources(t, "../plugin/internal") {
		if !strings.HasSuffix(room, "test") { // for tests alone
			listed(strings.Repeat("  ", 1+strings.Count(room, "/")), filepath.Base(room))
		}
	}
	for folder := range foldersWithSources(t, ".") {
		if !strings.ContainsRune(folder, '/') && folder != "." {
			listed("test/", folder)
		}
	}
}

// foldersWithSources yields the folders below a root that have Go files, relative to it.
func foldersWithSources(t *testing.T, root string) iter.Seq[string] {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if folder, outside := filepath.Rel(root, filepath.Dir(path)); filepath.Ext(path) == ".go" && outside == nil {
			found[folder] = true
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("no packages below %s: %v", root, err)
	}
	return maps.Keys(found)
}

// section returns the part of doc/design.md from a heading to the next of its level.
func section(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile("../doc/design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n"+heading+"\n")
	if !found {
		t.Fatalf("doc/design.md has no heading %q", heading)
	}
	part, _, _ := strings.Cut(rest, "\n## ")
	return part
}
