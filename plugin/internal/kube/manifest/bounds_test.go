package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest/pieces"
	"github.com/clusterdns/clusterdns/test/kit/cost"
)

// hostile are texts that could take all memory, all time, or end the process.
var hostile = []struct {
	name string
	text string
	want string // after the file's path
}{
	{"an alias that leads to itself", "apiVersion: v1\nkind: List\nitems: &a\n- *a\n", `:4: anchor "a": the value contains itself`},
	{"an alias that leads to itself by others", "a: &a\n  b: &b [*a]\napiVersion: v1\nkind: List\nitems: *b\n", `:2: anchor "a": the value contains itself`},
	{"an object that is an item of itself", "&a\napiVersion: v1\nkind: List\nitems: [*a]\n", `:4: anchor "a": the value contains itself`},
	{"a merge of itself", "apiVersion: v1\nkind: Service\nmetadata: &a {name: web, <<: *a}\n", `:3: anchor "a": the value contains itself`},
	{"a merge of itself by a list", "apiVersion: v1\nkind: Service\nmetadata: &a {name: web, <<: [*a, *a]}\n", `:3: anchor "a": the value contains itself`},
	{"an alias that leads to itself in an item of a long list", longList(kubetest.WebService, "apiVersion: v1\nkind: List\nitems: &a\n- *a\n"), `anchor "a": the value contains itself`},
	{"an alias that leads to itself in a kind of no interest", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: &a {b: *a}\n", `:4: anchor "a": the value contains itself`},
	{"lists of lists", listBomb(), "excessive aliasing"},
	{"lists of lists in JSON's clothes", jsonListBomb(), "excessive aliasing"},
	{"merges of merges", mergeBomb(), "excessive aliasing"},
	{"a long text again and again", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\na: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a,", 10_000) + "]\n", "excessive aliasing"},
	{"lists in lists", "apiVersion: v1\nkind: Service\nspec: " + strings.Repeat("[", 200_000) + "\n", ":3: expected YAML or JSON: "},
	{"mappings in mappings", "apiVersion: v1\nkind: Service\nspec: " + strings.Repeat("{a: ", 100_000) + "\n", ":3: expected YAML or JSON: "},
	{"dashes", "apiVersion: v1\nkind: Service\nspec:\n" + strings.Repeat("- ", 200_000) + "\n", ":4: expected YAML or JSON: "},
	{"JSON that is all brackets", `{"apiVersion": "v1", "kind": "Service", "spec": ` + strings.Repeat(`[`, 900_000), ":1: "},
	{"brackets in an item of a long list of JSON", `{"kind": "List", "apiVersion": "v1", "items": [` + strings.Repeat(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}},`, 20_000) + strings.Repeat("[", 900_000), ":1: "},
	{"aliases that nest what is nested", nestedAliases(), "nested at most 1000 deep"},
	{"a key again and again", "apiVersion: v1\nkind: Service\nmetadata: {" + strings.Repeat("a: b,", 60_000) + "}\n", `:3: mapping key "a" already defined at line 3`},
	{"many keys", "apiVersion: v1\nkind: Service\nmetadata: {" + manyKeys(60_000) + "}\n", ":1: metadata.name: expected a name"},
	{"many values", "apiVersion: v1\nkind: Service\nspec: [" + strings.Repeat("a,", 1<<20) + "]\n", ":1: expected a Kubernetes object, found more than 400000 values"},
	{"a text that is too long", "apiVersion: v1\nkind: Service\nmetadata: {name: " + strings.Repeat("a", 5<<20) + "}\n", ":1: expected a Kubernetes object, found more than 4 MiB"},
	{"an item of a list that is too long", longList(kubetest.WebService, "a: "+strings.Repeat("a", 5<<20)), "expected a Kubernetes object, found more than 4 MiB"},
	{"an item of a list in JSON that is too long", `{"kind": "List", "apiVersion": "v1", "items": [` + "\n{},\n{\"a\": \"" + strings.Repeat("a", 5<<20) + `"}]}`, ":2: "},
	{"a line that does not end", strings.Repeat("\x00", 6<<20), ":1: expected a Kubernetes object, found more than 4 MiB"},
}

// longList returns a list that is long enough for its items to be parsed one by one.
func longList(items ...string) string {
	var list strings.Builder
	list.WriteString("apiVersion: v1\nitems:\n")
	for i := 0; list.Len() < pieces.WholeDocument; i++ {
		list.WriteString(item("  ", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n"+fmt.Sprint(i)+"\n"))
	}
	for _, text := range items {
		list.WriteString(item("  ", text))
	}
	return list.String() + "kind: List\nmetadata: {}\n"
}

func item(indent, text string) string {
	return "- " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+indent) + "\n"
}

func listBomb() string {
	text := "apiVersion: v1\nkind: List\na: &a {apiVersion: v1, kind: List, items: []}\n"
	for c := 'b'; c < 'm'; c++ {
		text += fmt.Sprintf("%c: &%c {apiVersion: v1, kind: List, items: [%s]}\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 9))
	}
	return text + "items: [*l]\n"
}

func jsonListBomb() string {
	return "{" + strings.Join(strings.Split(strings.TrimSpace(listBomb()), "\n"), ",\n") + "}\n"
}

func mergeBomb() string {
	text := "apiVersion: v1\nkind: Service\nmetadata: {name: web}\na: &a {k0: x}\n"
	for c := 'b'; c < 'm'; c++ {
		text += fmt.Sprintf("%c: &%c {k%d: x, <<: [%s]}\n", c, c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 9))
	}
	return text + "spec: {<<: *l}\n"
}

func nestedAliases() string {
	text := "apiVersion: v1\nkind: Service\nmetadata: {name: web}\na0: &a0 x\n"
	for i := 1; i < 5; i++ {
		text += fmt.Sprintf("a%d: &a%d %s*a%d%s\n", i, i, strings.Repeat("[", 400), i-1, strings.Repeat("]", 400))
	}
	return text
}

func manyKeys(n int) string {
	var keys strings.Builder
	for i := range n {
		fmt.Fprintf(&keys, "k%d: x,", i)
	}
	return keys.String()
}

// A hostile file is refused with the place, and before it takes much.
func TestB5HostileManifests(t *testing.T) {
	const most = 1 << 30
	for _, tc := range hostile {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, config{}, map[string]string{"a.yaml": kubetest.WebService})
			kubetest.Write(t, f.folder, map[string]string{"a.yaml": tc.text})
			if octets := cost.Octets(1, f.settle); octets > most {
				t.Errorf("takes %d octets", octets)
			}
			f.expect("Service shop/web[10.0.0.1]")
			lines := f.log.All()
			if len(lines) != 1 || f.failures != 1 || !strings.Contains(lines[0], tc.want) || len(lines[0]) > 1000 {
				t.Errorf("%d failures, log: %.2000q", f.failures, lines)
			}
			err := load(f.folder)
			if err == nil {
				t.Fatal("no error at the start")
			}
			if rest, ok := strings.CutPrefix(err.Error(), filepath.Join(f.folder, "a.yaml")); !ok || !strings.Contains(rest, tc.want) {
				t.Errorf("%v, want ...%s", err, tc.want)
			}
		})
	}
}

// Quantities of a Pod mean nothing in DNS, and decoding one can take for ever.
func TestB5Quantities(t *testing.T) {
	for _, quantity := range []string{"1e-100000000", "much"} {
		pod := strings.Replace(kubetest.WebPod, "metadata:", "spec: {overhead: {cpu: "+quantity+"}}\nmetadata:", 1)
		f := serve(t, config{}, map[string]string{"a.yaml": pod})
		f.expect("Pod shop/web-0[10.1.0.1]")
	}
}

// A few aliases are harmless.
func TestB5AliasesInUse(t *testing.T) {
	f := serve(t, config{}, map[string]string{"a.yaml": `
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: &meta {name: web, namespace: shop, labels: &labels {app: web, kubernetes.io/service-name: web}}
  spec: {clusterIP: 10.0.0.1, selector: *labels}
- apiVersion: v1
  kind: Service
  metadata: {<<: *meta, name: mail}
  spec: {clusterIP: 10.0.0.2}
`})
	f.expect("Service shop/web[10.0.0.1]")
	f.expect("Service shop/mail[10.0.0.2]")
}

// splitTests are documents with the same meaning whether lists are split or not.
var splitTests = map[string]string{
	"as kubectl writes it":   "apiVersion: v1\nitems:\n" + item("  ", kubetest.WebService) + item("  ", kubetest.WebSlice) + "kind: List\nmetadata:\n  resourceVersion: \"\"\n",
	"as yq writes it":        "apiVersion: v1\nitems:\n  " + item("    ", kubetest.WebService) + "  " + item("    ", kubetest.WebSlice) + "kind: List\n",
	"comments":               "# all\n---\napiVersion: v1 # one\nitems: # of them\n# first\n\n" + item("  ", kubetest.WebService) + "# second\n" + item("  ", kubetest.WebSlice) + "# last\n\nkind: List # end\n# end\n",
	"no end of line":         "apiVersion: v1\nkind: List\nitems:\n" + strings.TrimSpace(item("  ", kubetest.WebService)),
	"a typed list":           "kind: ServiceList\napiVersion: v1\nitems:\n" + item("  ", strings.TrimPrefix(kubetest.WebService, "apiVersion: v1\nkind: Service\n")),
	"a dash of its own":      "apiVersion: v1\nkind: List\nitems:\n-\n  " + strings.ReplaceAll(kubetest.WebService, "\n", "\n  ") + "\n-\n  " + strings.ReplaceAll(kubetest.WebSlice, "\n", "\n  ") + "\n",
	"several documents":      kubetest.WebService + "---\nkind: List\napiVersion: v1\nitems:\n" + item("  ", kubetest.WebSlice) + "---\n" + kubetest.WebPod + "...\n---\n" + kubetest.WebService,
	"markers":                "%YAML 1.2\n---\n" + kubetest.WebService + "...\n%YAML 1.2\n--- # x\n" + kubetest.WebSlice + "...\n# end\n",
	"Windows":                strings.ReplaceAll("apiVersion: v1\nitems:\n"+item("  ", kubetest.WebService)+item("  ", kubetest.WebSlice)+"kind: List\n---\n"+kubetest.WebPod, "\n", "\r\n"),
	"an empty list":          "apiVersion: v1\nkind: List\nitems:\n",
	"an empty list in JSON":  `{"apiVersion": "v1", "items": [], "kind": "List"}`,
	"text":                   "kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n  data:\n    a: |\n      - a\n      items:\n      - b\n    b: \"x\n      y\"\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: b}\n",
	"an object with items":   "apiVersion: example.com/v1\nkind: Basket\nitems:\n- apple\n- pear\n",
	"a list that is no list": "apiVersion: v1\nkind: List\nitems:\n  a: b\n",
	"no kind":                "apiVersion: v1\nitems:\n" + item("  ", kubetest.WebService),
	"an item without a kind": "apiVersion: v1\nkind: List\nitems:\n" + item("  ", kubetest.WebService) + "- metadata: {name: a}\n",
	"an item that is a text": "apiVersion: v1\nkind: List\nitems:\n" + item("  ", kubetest.WebService) + "- web\n",
	"a mistake in an item":   "apiVersion: v1\nkind: List\nitems:\n" + item("  ", kubetest.WebService) + item("  ", strings.Replace(kubetest.WebService, "port: 80", "port: eighty", 1)),
	"JSON":                   "{\"kind\": \"List\",\n\"apiVersion\": \"v1\",\n\"items\": [\n{\"apiVersion\": \"v1\", \"kind\": \"Namespace\",\n\"metadata\": {\"name\": \"a\"}},\n\n{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"b\"}}],\n\"metadata\": {}}\n",
	"JSON, then YAML":        "{\"apiVersion\": \"v1\", \"items\": [\n{\"apiVersion\": \"v1\", \"kind\": \"Namespace\",\n\"metadata\": {\"name\": \"a\"}}],\n\"kind\": \"List\"}\n---\n" + kubetest.WebService,
	"a mistake in JSON":      "{\"kind\": \"List\",\n\"apiVersion\": \"v1\",\n\"items\": [\n{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"web\"},\n \"spec\": {\"ports\": [{\"port\": \"eighty\"}]}}]}",
}

func TestB5SplitLists(t *testing.T) {
	for name, text := range splitTests {
		t.Run(name, func(t *testing.T) {
			want, wantErr := documentsOf(text, pieces.WholeDocument)
			got, err := documentsOf(text, 0)
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("got  %v\nwant %v", err, wantErr)
			}
		})
	}
}

// documentsOf returns the documents of a text. Lists longer than whole are split.
func documentsOf(text string, whole int) (all []string, err error) {
	p := &parser{path: "a.yaml", take: func(d *document) error {
		kind := d.apiVersion + " " + d.kind
		if supported[kind] == nil {
			all = append(all, kind)
			return nil
		}
		obj := supported[kind]()
		if err := d.into(obj); err != nil {
			return err
		}
		data, err := json.Marshal(obj)
		all = append(all, fmt.Sprintf("%s %s %s", d.place(), kind, data))
		return err
	}}
	err = pieces.Split("a.yaml", strings.NewReader(text), whole, p.piece)
	return all, err
}

// An error while reading a file is reported, wherever it happens.
func TestB5ReadErrors(t *testing.T) {
	broken := errors.New("the disk is broken")
	for name, text := range splitTests {
		for end := range len(text) {
			in := io.MultiReader(strings.NewReader(text[:end]), brokenReader{broken})
			if err := pieces.Split("a.yaml", in, 0, func(pieces.Piece) error { return nil }); err == nil {
				t.Errorf("%s: no error after %d octets", name, end)
			}
		}
	}
}

// A list that is cut off anywhere is an error.
func TestB5CutLists(t *testing.T) {
	for _, text := range []string{"JSON", "an empty list in JSON"} {
		text := strings.TrimSpace(splitTests[text])
		for end := 1; end < len(text); end++ {
			_, whole := documentsOf(text[:end], pieces.WholeDocument)
			_, split := documentsOf(text[:end], 0)
			if (whole == nil) != (split == nil) {
				t.Errorf("%q: whole %v, split %v", text[:end], whole, split)
			}
		}
	}
}

type brokenReader struct{ err error }

func (f brokenReader) Read([]byte) (int, error) { return 0, f.err }

// FuzzManifests checks that no text ends the process, and that every list means the same
// whole and split.
func FuzzManifests(f *testing.F) {
	for _, text := range splitTests {
		f.Add(text)
	}
	for _, tc := range hostile {
		if len(tc.text) < 2000 {
			f.Add(tc.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		// A text that takes for ever ends the process, so that the fuzzing engine keeps it.
		defer time.AfterFunc(20*time.Second, func() { panic(fmt.Sprintf("takes too long: %q", text)) }).Stop()
		want, wantErr := documentsOf(text, pieces.WholeDocument)
		got, err := documentsOf(text, 0)
		if wantErr == nil && err == nil && !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if wantErr != nil && err == nil {
			t.Errorf("whole: %v", wantErr)
		}
	})
}
