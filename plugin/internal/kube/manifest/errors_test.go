package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
)

func TestManifestErrors(t *testing.T) {
	service := func(from, to string) string { return strings.Replace(kubetest.WebService, from, to, 1) }
	second := func(text string) string { return kubetest.WebSlice + "---\n" + text } // begins at line 11
	for _, tc := range []struct {
		name string
		text string
		want string // after the file's path
	}{
		{"no YAML", "a: b: c\n", ":1: expected YAML or JSON: mapping values are not allowed in this context"},
		{"no YAML in the second document", second(service("  name: web", "name: web")), ":15: expected YAML or JSON: mapping values are not allowed"},
		{"a quote that does not end", second(service("name: web", `name: "web`)), "expected YAML or JSON: found unexpected end of stream"},
		{"a tab", second(service("  name: web", "\tname: web")), ":14: expected YAML or JSON: found"},
		{"a control character", second(service("web", "w\x01b")), ":14: expected YAML or JSON: control characters are not allowed"},
		{"not UTF-8", second(service("web", "w\xffb")), ":14: expected YAML or JSON: invalid leading UTF-8"},
		{"an anchor that is not there", second(service("web", "*web")), ":14: expected YAML or JSON: unknown anchor 'web'"},
		{"a key given twice", second(service("spec:", "spec: {}\nspec:")), ":17: mapping key \"spec\" already defined at line 16"},
		{"JSON that ends too soon", `{"apiVersion": "v1",` + "\n" + `"kind": "Service"` + "\n", "expected YAML or JSON: did not find expected ',' or '}'"},
		{"an empty file", " \n", ":1: expected a Kubernetes object, found an empty file"},
		{"marks between documents", "---\n...\n\n---", ":1: expected a Kubernetes object, found an empty file"},
		{"comments", "%YAML 1.2\r\n# one\r\n---   # two: {}\r\n\t# three", ":1: expected a Kubernetes object, found only comments"},
		{"a text after a mark", "--- \t " + strings.Repeat(" ", 99) + "web", ":1: expected a Kubernetes object, found the text \"web\""},
		{"a text far to the right", strings.Repeat(" ", 99) + "web", ":1: expected a Kubernetes object, found the text \"web\""},
		{"a text", second("web\n"), ":11: expected a Kubernetes object, found the text \"web\""},
		{"a number", "4\n", ":1: expected a Kubernetes object, found the number 4"},
		{"a list", second("- web\n"), ":11: expected a Kubernetes object, found a list"},
		{"no kind", second(service("kind: Service\n", "")), ":11: expected a Kubernetes object, found a mapping without apiVersion or kind"},
		{"no apiVersion", second(service("apiVersion: v1\n", "")), ":11: expected a Kubernetes object, found a mapping without apiVersion or kind"},
		{"no name", second(service("  name: web\n", "")), ":11: metadata.name: expected a name, found nothing"},
		{"an item of a list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n", ":4: metadata.name: expected a name"},
		{"an item that is a text", "apiVersion: v1\nkind: List\nitems:\n- web\n", ":4: expected a Kubernetes object, found the text \"web\""},
		{"items that are no list", "apiVersion: v1\nkind: List\nitems: {a: b}\n", ":3: items: expected a list, found a mapping"},
		{"a port that is a text", second(service("port: 80", "port: abc")), ":20: spec.ports.port: expected a whole number, found the text \"abc\""},
		{"a port in quotes", second(service("port: 80", "port: \"80\"")), ":20: spec.ports.port: expected a whole number, found the text \"80\""},
		{"a port that is a fraction", second(service("port: 80", "port: 8.5")), ":20: spec.ports.port: expected a whole number, found the number 8.5"},
		{"a port too large", second(service("port: 80", "port: 80000000000")), ":20: spec.ports.port: expected a whole number, found the number 80000000000"},
		{"the second port", second(service("port: 80", "port: 80\n  - port: [1]")), ":21: spec.ports.port: expected a whole number, found a list"},
		{"ports that are a mapping", second(service("  - name: http\n    port: 80\n", "    http: 80\n")), ":19: spec.ports: expected a list, found a mapping"},
		{"a spec that is a list", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: []\n", ":4: spec: expected a mapping, found a list"},
		{"a spec that is a list of texts", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: [none]\n", ":4: spec: expected a mapping, found a list"},
		{"a name that is a number", second(service("name: web", "name: 4")), ":14: metadata.name: expected a text (perhaps in quotes), found the number 4"},
		{"addresses that are a text", strings.Replace(kubetest.WebSlice, "[10.1.0.1]", "10.1.0.1", 1), ":9: endpoints.addresses: expected a list, found the text \"10.1.0.1\""},
		{"addresses that are a text in the second endpoint", kubetest.WebSlice + "- addresses: 10.1.0.2\n", ":10: endpoints.addresses: expected a list, found the text \"10.1.0.2\""},
		{"an address that is a number", strings.Replace(kubetest.WebSlice, "[10.1.0.1]", "[10.1.0.1, 10.1]", 1), ":9: endpoints.addresses: expected a text (perhaps in quotes), found the number 10.1"},
		{"a key that is a number", "apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {1: x}}\n", ":1: "},
		{"an alias of an alias of an alias", bomb(), "excessive aliasing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := t.TempDir()
			kubetest.Write(t, folder, map[string]string{"a.yaml": tc.text})
			err := load(folder)
			if err == nil {
				t.Fatal("no error")
			}
			if rest, ok := strings.CutPrefix(err.Error(), filepath.Join(folder, "a.yaml")); !ok || !strings.Contains(rest, tc.want) {
				t.Errorf("%v, want ...%s", err, tc.want)
			}
		})
	}
}

// bomb returns a small document that would be large with its aliases replaced.
func bomb() string {
	text := "apiVersion: v1\nkind: Service\nmetadata: {name: web}\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for _, n := range []string{"01", "12", "23", "34", "45", "56"} {
		text += "a" + n[1:] + ": &a" + n[1:] + " [" + strings.Repeat("*a"+n[:1]+",", 10) + "]\n"
	}
	return text
}

func TestManifestPathsThatAreMissing(t *testing.T) {
	folder := t.TempDir()
	if err := load(filepath.Join(folder, "none.yaml")); err == nil || !strings.Contains(err.Error(), "none.yaml does not exist: expected a file or a folder") {
		t.Errorf("a file: %v", err)
	}
	if err := os.Symlink("nowhere", filepath.Join(folder, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, filepath.Join(folder, "a.yaml")} {
		if err := load(path); err == nil || !strings.Contains(err.Error(), "a.yaml is a link to nowhere, where nothing is: expected a file or a folder") {
			t.Errorf("a link that leads nowhere: %v", err)
		}
	}
}

// While the files are bad the last good state stays, with one line and one count for each
// content.
func TestManifestsTurnBad(t *testing.T) {
	f := serve(t, config{}, map[string]string{"a.yaml": kubetest.WebService, "b.yaml": strings.ReplaceAll(kubetest.WebService, "web", "mail")})
	expect := func(failures int, lines ...string) {
		t.Helper()
		got := f.log.All()
		if f.failures != failures || len(got) != len(lines) {
			t.Fatalf("%d failures, want %d; log: %q", f.failures, failures, got)
		}
		for i, line := range lines {
			if !strings.Contains(got[i], line) {
				t.Errorf("line %d: %q, want %q", i, got[i], line)
			}
		}
		f.expect("Service shop/web[10.0.0.1]")
		f.expect("Service shop/mail[10.0.0.1]")
	}
	const going = "ERROR manifests cannot be read, keeping the last good state: "

	kubetest.Write(t, f.folder, map[string]string{"a.yaml": strings.Replace(kubetest.WebService, "80", "eighty", 1)})
	f.settle()
	expect(1, going+f.path("a.yaml")+":10: spec.ports.port")
	f.settle()
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(f.path("a.yaml"), later, later); err != nil {
		t.Fatal(err)
	}
	f.settle()
	expect(1, going)

	kubetest.Write(t, f.folder, map[string]string{"a.yaml": "kind: [\n"})
	f.settle()
	expect(2, going, going+f.path("a.yaml")+":1:")

	kubetest.Write(t, f.folder, map[string]string{"a.yaml": ""}) // emptied, to be written
	f.settle()
	expect(3, going, going, going+f.path("a.yaml")+":1: expected a Kubernetes object")

	kubetest.Write(t, f.folder, map[string]string{"a.yaml": kubetest.WebService})
	f.settle()
	expect(3, going, going, going, "INFO manifests can be read again")
}

func TestManifestPathVanishes(t *testing.T) {
	f := serve(t, config{}, map[string]string{"a.yaml": kubetest.WebService})
	away := f.folder + "-away"
	if err := os.Rename(f.folder, away); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.settle()
	f.expect("Service shop/web[10.0.0.1]")
	if lines := f.log.All(); len(lines) != 1 || f.failures != 1 || !strings.Contains(lines[0], "does not exist: expected a file or a folder") {
		t.Errorf("%d failures, log: %q", f.failures, lines)
	}
	if err := os.Rename(away, f.folder); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if lines := f.log.All(); len(lines) != 2 || lines[1] != "INFO manifests can be read again" {
		t.Errorf("log: %q", lines)
	}
}

// A file that disappears after the look is no trouble: the next look shows the new state.
func TestManifestGoesBeforeItIsRead(t *testing.T) {
	f := serve(t, config{}, map[string]string{"a.yaml": kubetest.WebService, "b.yaml": strings.ReplaceAll(kubetest.WebService, "web", "mail")})
	kubetest.Write(t, f.folder, map[string]string{"a.yaml": strings.Replace(kubetest.WebService, "10.0.0.1", "10.0.0.20", 1)})
	f.look()
	if err := os.Remove(f.path("b.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, ok := f.follower.follow(t.Context(), f.follower.last); ok {
		t.Error("a change that was not read")
	}
	f.settle()
	f.expect("Service shop/web[10.0.0.20]")
	f.expectNone("Service shop/mail")
	if lines := f.log.All(); len(lines) > 0 || f.failures > 0 {
		t.Errorf("%d failures, log: %q", f.failures, lines)
	}
}
