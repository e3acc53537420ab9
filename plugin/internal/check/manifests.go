package check

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// sources are the properties of our directive that say where objects come from, and how.
var sources = []string{"endpoint", "tls", "kubeconfig", "manifests", "state", "startup_timeout", "explain", "apiserver_qps", "apiserver_burst", "apiserver_max_inflight"}

// WithManifests returns a Corefile whose clusters come from a folder of manifests, whatever they came from. Lines
// behind a directive that has to grow for that move.
func WithManifests(path string, body []byte, folder string) ([]byte, error) {
	t, err := readText(path, body)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(bytes.Clone(t.body), []byte("\n"))
	found := false
	for _, d := range t.all() {
		if !slices.Contains([]string{"kubernetes", "clusterdns"}, d.words[0]) {
			continue
		}
		if d.file != t.path {
			return nil, fmt.Errorf("%s is imported, and its objects cannot be replaced: expected it in the Corefile itself", d.words[0])
		}
		found = true
		lines[d.no-1] = []byte(d.fromManifests(folder))
		for i := d.no; i < min(d.last, len(lines)); i++ {
			lines[i] = nil
		}
	}
	if !found {
		return nil, fmt.Errorf("%s has no directive kubernetes or clusterdns", path)
	}
	return bytes.Join(lines, nil), nil
}

// fromManifests returns the text of a directive with manifests, in at least as many lines as it has.
func (d *directive) fromManifests(folder string) string {
	all := []string{quoteAll(d.words) + " {", quoteAll([]string{"manifests", folder})}
	for _, p := range d.properties {
		if !slices.Contains(sources, p.words[0]) {
			all = append(all, quoteAll(p.words))
		}
	}
	for len(all) < d.last-d.no {
		all = append(all, "")
	}
	return strings.Join(append(all, "}"), "\n") + "\n"
}

// quoteAll writes words as a Corefile has them.
func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.ContainsAny(w, " \t\n\"#{}") {
			quoted[i] = `"` + strings.ReplaceAll(w, `"`, `\"`) + `"`
		}
	}
	return strings.Join(quoted, " ")
}
