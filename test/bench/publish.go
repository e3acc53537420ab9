package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/bench/queries"
	"github.com/clusterdns/clusterdns/test/bench/report"
	"github.com/clusterdns/clusterdns/test/bench/server"
)

// note adds a remark for readers of the table.
func (b *bench) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	log.Print(text)
	if !slices.Contains(b.notes, text) {
		b.notes = append(b.notes, text)
	}
}

// publish prints the results, and writes them into the page if there is one.
func (b *bench) publish(w io.Writer) error {
	var text bytes.Buffer
	b.write(&text)
	if _, err := w.Write(text.Bytes()); err != nil || b.page == "" {
		return err
	}
	chart := strings.TrimSuffix(b.page, filepath.Ext(b.page))
	for name, shown := range map[string]report.Chart{chart + ".svg": b.wholeChart(), chart + "-short.svg": b.shortChart()} {
		var svg bytes.Buffer
		b.report.WriteChart(&svg, shown, b.titles())
		if err := os.WriteFile(name, svg.Bytes(), 0o644); err != nil {
			return err
		}
	}
	var page bytes.Buffer
	fmt.Fprintf(&page, "## In short\n\n![%s](%s)\n\n", chartTitle, filepath.Base(chart)+".svg")
	b.report.WriteSummary(&page, b.titles(), server.Ours, server.Stock, summary)
	fmt.Fprintf(&page, "\n## All figures\n\n%s", text.String())
	return report.ReplaceInPage(b.page, page.String())
}

// summary are the figures at the beginning of the page.
var summary = []string{
	"Service A: CPU at saturation, µs/query",
	"headless of 1000, A: CPU at saturation, µs/query",
	"mix: CPU at saturation, µs/query",
	"mix: CPU at 20000/s, µs/query",
	"mix: latency p99, µs",
	"outside names from cache: CPU at saturation, µs/query",
	"Service A over TCP: CPU at saturation, µs/query",
	"streaming lists, pods insecure: ready after, s",
	"streaming lists, pods insecure: peak RSS of all, MB",
	"streaming lists, pods verified: peak RSS of all, MB",
}

const chartTitle = "CPU per query at saturation, microseconds"

// tooMuch is a set with such expensive answers that its bars would make all others vanish.
const tooMuch = "headless-1000"

// wholeChart returns the chart of the page.
func (b *bench) wholeChart() report.Chart {
	chart := report.Chart{Title: chartTitle}
	for _, set := range b.sets {
		if set.Name != tooMuch {
			chart.Groups = append(chart.Groups, report.Group{Label: set.Title, Figure: saturation(set)})
		}
	}
	return chart
}

// shortChart returns the chart of README.
func (b *bench) shortChart() report.Chart {
	chart := report.Chart{Title: chartTitle, Columns: []string{server.Ours, server.Stock, server.Knot}}
	for _, set := range b.sets {
		if slices.Contains([]string{"service-a", "nxdomain", "mix", "outside"}, set.Name) {
			chart.Groups = append(chart.Groups, report.Group{Label: set.Title, Figure: saturation(set)})
		}
	}
	return chart
}

func (b *bench) titles() map[string]string {
	titles := map[string]string{}
	for _, kind := range b.kinds {
		titles[kind.Name] = kind.Title
	}
	return titles
}

// write writes the table and its remarks.
func (b *bench) write(w io.Writer) {
	fmt.Fprintf(w, "Cluster: %s; %s.\n\n", b.shape, variant{b.plain, b.verified})
	fmt.Fprintf(w, "Machine: %s; %s.\n\n", proc.Machine(), proc.ReadLoad().Since(b.atStart))
	fmt.Fprintf(w, "Command: `%s`: %d runs, each load for %d s. Cells: median (least-greatest). Ratios: median of the runs' ratios.\n\n",
		strings.TrimSpace("go run ./test/bench "+strings.Join(os.Args[1:], " ")), b.runs, b.seconds)
	for _, kind := range b.kinds {
		fmt.Fprintf(w, "* %s: %s\n", kind.Title, kind.Version(b.setup))
	}
	fmt.Fprintln(w)
	b.report.Write(w, b.titles())
	writeList(w, "Notes", b.notes)
	writeList(w, "Wrong", b.problems)
}

// longList is the largest number of lines in a list.
const longList = 30

func writeList(w io.Writer, heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n\n", heading)
	for _, line := range lines[:min(len(lines), longList)] {
		fmt.Fprintf(w, "* %s\n", line)
	}
	if more := len(lines) - longList; more > 0 {
		fmt.Fprintf(w, "* and %d more\n", more)
	}
}

// saturation returns the name of the row that the chart shows.
func saturation(set queries.Set) string { return set.Title + ": CPU at saturation, µs/query" }
