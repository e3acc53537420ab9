package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/test/bench/proc"
)

// note tells what a reader of the table has to know.
func (b *bench) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	log.Print(text)
	if !slices.Contains(b.notes, text) {
		b.notes = append(b.notes, text)
	}
}

// publish writes the table and what belongs to it.
func (b *bench) publish(w io.Writer) error {
	lists := "streaming lists"
	if b.plain {
		lists = "plain lists"
	}
	fmt.Fprintf(w, "Cluster: %s; %s; %d runs of %d s: median (least-greatest).\n\n", b.shape, lists, b.runs, b.seconds)
	fmt.Fprintf(w, "Machine: %s; %s.\n\n", proc.Machine(), proc.ReadLoad().Since(b.before))
	fmt.Fprintf(w, "Command: `%s`\n\n", strings.TrimSpace("go run ./test/bench "+strings.Join(os.Args[1:], " ")))
	titles := map[string]string{}
	for _, kind := range b.kinds {
		titles[kind.Name] = kind.Title
		fmt.Fprintf(w, "* %s: %s\n", kind.Name, kind.Version(b.setup))
	}
	fmt.Fprintln(w)
	b.report.Write(w, titles)
	writeList(w, "Notes", b.notes)
	writeList(w, "Wrong", b.problems)
	return nil
}

// longList is how many lines say enough.
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
