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
	r.Chart(&svg, "CPU & more", []Group{{"a", "a: CPU"}, {"b", "b: CPU"}, {"c", "c: CPU"}}, map[string]string{"ours": "Ours <1>", "stock": "Stock"})
	decoder, bars := xml.NewDecoder(strings.NewReader(svg.String())), 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg.String())
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "rect" {
			bars++
		}
	}
	if bars != 1+3 { // with the background
		t.Errorf("%d rectangles, want the background and 3 bars", bars)
	}
	for _, want := range []string{"CPU &amp; more", "Ours &lt;1&gt;", `width="590.0"`, `width="39.3"`} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("no %q in\n%s", want, svg.String())
		}
	}
}
