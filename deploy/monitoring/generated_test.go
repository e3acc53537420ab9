package main

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse[T any](t *testing.T, path string) (value T) {
	t.Helper()
	if err := yaml.Unmarshal(read(t, path), &value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return value
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	for name, write := range generated {
		want, err := write()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(read(t, name), want) {
			t.Errorf("%s is not what this command writes: run make monitoring", name)
		}
	}
}

// ruleGroups are the groups of a rule file.
type ruleGroups struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Record, Alert, Expr string
	For                 string
	Labels              map[string]string
	Annotations         map[string]string
}

func (g ruleGroups) rules() (all []rule) {
	for _, group := range g.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

func alerts(t *testing.T) (found []rule) {
	t.Helper()
	for _, r := range parse[ruleGroups](t, ruleFile).rules() {
		if r.Alert != "" {
			found = append(found, r)
		}
	}
	if len(found) < 10 {
		t.Fatalf("%d alerts", len(found))
	}
	return found
}

func TestPrometheusRuleHasTheSameRules(t *testing.T) {
	want := parse[ruleGroups](t, ruleFile)
	got := parse[struct{ Spec ruleGroups }](t, "prometheusrule.yaml").Spec
	if !reflect.DeepEqual(got, want) {
		t.Errorf("prometheusrule.yaml has %+v\n%s has %+v", got, ruleFile, want)
	}
}

const (
	runbooks    = "../../doc/monitoring.md"
	runbookPage = "https://github.com/clusterdns/clusterdns/blob/main/doc/monitoring.md#"
)

// GitHub makes a heading's anchor of its words in lower case.
func TestEachAlertHasARunbook(t *testing.T) {
	var headings, names []string
	for _, match := range regexp.MustCompile(`(?m)^### (ClusterDNS\w+)$`).FindAllStringSubmatch(string(read(t, runbooks)), -1) {
		headings = append(headings, match[1])
	}
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
		if want := runbookPage + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s links to %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
		if !slices.Contains([]string{"critical", "warning"}, a.Labels["severity"]) {
			t.Errorf("%s has the severity %q", a.Alert, a.Labels["severity"])
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s says nothing", a.Alert)
		}
	}
	if !slices.Equal(headings, names) {
		t.Errorf("%s has sections for %q\n%s has alerts %q", runbooks, headings, ruleFile, names)
	}
}
