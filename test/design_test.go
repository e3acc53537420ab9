package test

import (
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
	rooms, err := filepath.Glob("../plugin/internal/*/*.go")
	if err != nil || len(rooms) == 0 {
		t.Fatalf("no packages: %v", err)
	}
	for _, file := range rooms {
		if room := filepath.Base(filepath.Dir(file)); !strings.Contains(house, "\n  "+room+"/ ") {
			t.Fatalf("doc/design.md: the house has no line for plugin/internal/%s", room)
		}
	}
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
