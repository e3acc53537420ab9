package clusterdns

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
)

// tableRow matches a row of the page's table of properties. Its first cell has one or
// several properties with their arguments.
var tableRow = regexp.MustCompile("(?m)^\\| (`[a-z].*?) \\| .* \\|$")

var propertyName = regexp.MustCompile("`([a-z_]+)[^`]*`")

func TestREADMEListsTheProperties(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range tableRow.FindAllStringSubmatch(string(text), -1) {
		for _, name := range propertyName.FindAllStringSubmatch(row[1], -1) {
			listed = append(listed, name[1])
		}
	}
	slices.Sort(listed)
	if known := slices.Sorted(maps.Keys(properties)); !slices.Equal(listed, known) {
		t.Errorf("README.md lists %q\nthe plugin takes %q", listed, known)
	}
}
