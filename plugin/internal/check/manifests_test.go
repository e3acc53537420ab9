package check

import (
	"strings"
	"testing"
)

// The objects of a Corefile come from a folder, and the rest stays as it is, on its line.
func TestWithManifests(t *testing.T) {
	for _, tc := range []struct{ name, before, after string }{
		{"properties that say where objects come from", ". {\n kubernetes cluster.local {\n  # ours\n  endpoint https://x\n  pods insecure\n  state /f 1h\n }\n cache\n}\n",
			". {\nkubernetes cluster.local {\nmanifests /m\npods insecure\n\n\n}\n cache\n}\n"},
		{"no block", ". {\n kubernetes a b\n cache\n}\n", ". {\nkubernetes a b {\nmanifests /m\n}\n cache\n}\n"},
		{"two server blocks", "a {\n kubernetes a {\n  ttl 5\n }\n}\nb {\n kubernetes b {\n  kubeconfig x\n }\n}\n",
			"a {\nkubernetes a {\nmanifests /m\nttl 5\n}\n}\nb {\nkubernetes b {\nmanifests /m\n}\n}\n"},
		{"a word with spaces", ". {\n kubernetes {\n  labels \"a in (b, c)\"\n }\n}\n", ". {\nkubernetes {\nmanifests /m\nlabels \"a in (b, c)\"\n}\n}\n"},
	} {
		got, err := WithManifests("Corefile", []byte(tc.before), "/m")
		if err != nil || string(got) != tc.after {
			t.Errorf("%s: %v\n%s\nwant\n%s", tc.name, err, got, tc.after)
		}
	}
	if _, err := WithManifests("Corefile", []byte(". {\n whoami\n}\n"), "/m"); err == nil || !strings.Contains(err.Error(), "no directive") {
		t.Errorf("without a cluster: %v", err)
	}
}
