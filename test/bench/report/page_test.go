package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplaceInPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	const head, tail = "# Page\n\nBy hand.\n\n", "\nBy hand again.\n"
	if err := os.WriteFile(path, []byte(head+Begin+"\nold\n"+End+"\n"+tail), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"new\n", "newer\nand longer\n\n"} {
		if err := ReplaceInPage(path, text); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := head + Begin + "\n\n" + strings.TrimSpace(text) + "\n\n" + End + "\n" + tail; string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPageWithoutItsLines(t *testing.T) {
	for _, page := range []string{"", Begin + "\n", End + "\n" + Begin + "\n"} {
		if _, err := replaceBetween(page, "x"); err == nil {
			t.Errorf("no error for %q", page)
		}
	}
	if err := ReplaceInPage(filepath.Join(t.TempDir(), "none.md"), "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a page that is not there: %v", err)
	}
}

func TestChart(t *testing.T) {
	r := New([]string{"ours", "stock"})
	r.Add("a: CPU", "ours", 4)
	r.Add("a: CPU", "stock", 60)
	r.Add("b: CPU", "ours", 5)
	var svg strings.Builder
	chart := Chart{Title: "CPU & more", Groups: []Group{{"a", "a: CPU"}, {"b", "b: CPU"}, {"c", "c: CPU"}}}
	titles := map[string]string{"ours": "Ours <1>", "stock": "Stock"}
	r.WriteChart(&svg, chart, titles)
	if n := rectangles(t, svg.String()); n != 1+3 {
		t.Errorf("%d rectangles, want the background and 3 bars", n)
	}
	for _, want := range []string{"CPU &amp; more", "Ours &lt;1&gt;", `width="640.0"`, `width="42.7"`} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("no %q in\n%s", want, svg.String())
		}
	}
	svg.Reset()
	chart.Columns = []string{"stock"}
	r.WriteChart(&svg, chart, titles)
	if n := rectangles(t, svg.String()); n != 1+1 {
		t.Errorf("%d rectangles, want the background and the bar of the one column", n)
	}
}

// rectangles returns the number of rectangles in a picture. It fails the test if the
// picture is not XML.
func rectangles(t *testing.T, svg string) (n int) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "rect" {
			n++
		}
	}
}
