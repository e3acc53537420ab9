package check

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterdns/clusterdns/plugin/commands"
)

// TestPage: the page prints what the command prints for the Corefile on it.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../doc/check.md")
	if err != nil {
		t.Fatal(err)
	}
	fences := regexp.MustCompile("(?s)```corefile\n(.*?)```.*?```\n(.*?)```").FindSubmatch(page)
	if fences == nil {
		t.Fatal("doc/check.md has no Corefile with an output behind it")
	}
	var out, errOut bytes.Buffer
	code := commands.Check([]string{"-"}, bytes.NewReader(fences[1]), &out, &errOut)
	if diff := cmp.Diff(string(fences[2]), out.String()); diff != "" || code != 2 {
		t.Errorf("exit code %d; on the page (-), printed (+):\n%s%s", code, diff, errOut.String())
	}
}

// TestPageNamesEachRule: each rule that a test of this package meets is on the page.
func TestPageNamesEachRule(t *testing.T) {
	page, err := os.ReadFile("../../doc/check.md")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := os.ReadDir("../../plugin/internal/check")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?:finding\((?:Error|Warning|Note|severity), |Rule: +)"([a-z-]+)"`)
	met := 0
	for _, file := range sources {
		if file.IsDir() {
			continue
		}
		text, err := os.ReadFile("../../plugin/internal/check/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range rule.FindAllStringSubmatch(string(text), -1) {
			met++
			if !strings.Contains(string(page), "`"+m[1]+"`") {
				t.Errorf("doc/check.md does not name the rule %s", m[1])
			}
		}
	}
	if met < 20 {
		t.Errorf("%d rules, expected 20 or more", met)
	}
}
