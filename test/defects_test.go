package test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// defects is the last number in doc/differences.md's list of stock's defects. Two of them
// need no work here: CoreDNS 1.15.0 fixed one, and the other has a test of its own.
const defects = 27

var mendedByOthers = []int{20, 27}

var (
	defectTest = regexp.MustCompile(`(?m)^func TestD([0-9]+)[A-Z]`)
	defectRow  = regexp.MustCompile(`(?m)^\| D([0-9]+) \|`)
)

// Every defect of stock has a line that says how it is here, and a test that is named after
// its number.
func TestDefectsAreListedAndTested(t *testing.T) {
	var want []int
	for n := 1; n <= defects; n++ {
		if !slices.Contains(mendedByOthers, n) {
			want = append(want, n)
		}
	}
	differences, err := os.ReadFile("../doc/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, "lines of doc/differences.md", numbers(defectRow, string(differences)), want)
	wantNumbers(t, "tests", numbers(defectTest, testSources(t)), want)
}

// testSources returns the tests of the whole module, those of other systems included.
func testSources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// numbers returns the numbers that the pattern finds, sorted and without repetitions.
func numbers(pattern *regexp.Regexp, text string) []int {
	found := map[int]bool{}
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(match[1])
		found[n] = err == nil
	}
	return slices.Sorted(maps.Keys(found))
}

func wantNumbers(t *testing.T, what string, got, want []int) {
	t.Helper()
	for n := range defects + 1 {
		if has, needs := slices.Contains(got, n), slices.Contains(want, n); has != needs {
			t.Errorf("D%d among the %s: %v, want %v", n, what, has, needs)
		}
	}
	if len(got) > 0 && got[len(got)-1] > defects {
		t.Errorf("D%d among the %s: there are %d", got[len(got)-1], what, defects)
	}
}
