package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// report is a table: a row for each figure, a column for each binary, and in
// each cell what the runs measured.
type report struct {
	columns []string
	figures []string // in the order of their first value
	values  map[cell][]float64
}

type cell struct{ figure, column string }

func newReport(columns ...string) *report {
	return &report{columns: columns, values: map[cell][]float64{}}
}

func (r *report) add(figure, column string, value float64) {
	if !slices.Contains(r.figures, figure) {
		r.figures = append(r.figures, figure)
	}
	at := cell{figure, column}
	r.values[at] = append(r.values[at], value)
}

func (r *report) empty() bool { return len(r.figures) == 0 }

// write prints Markdown. With two columns a third has the ratio of their
// medians.
func (r *report) write(w io.Writer) {
	header := append([]string{"figure"}, r.columns...)
	if len(r.columns) == 2 {
		header = append(header, "ratio")
	}
	writeRow(w, header)
	writeRow(w, append([]string{"---"}, slices.Repeat([]string{"---:"}, len(header)-1)...))
	for _, figure := range r.figures {
		row := []string{figure}
		for _, column := range r.columns {
			row = append(row, spread(r.values[cell{figure, column}]))
		}
		if len(r.columns) == 2 {
			row = append(row, r.ratio(figure))
		}
		writeRow(w, row)
	}
}

func writeRow(w io.Writer, cells []string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

func (r *report) ratio(figure string) string {
	first, second := r.values[cell{figure, r.columns[0]}], r.values[cell{figure, r.columns[1]}]
	if len(first) == 0 || len(second) == 0 || median(second) == 0 {
		return ""
	}
	return number(median(first) / median(second))
}

// spread is the median with the least and the greatest value.
func spread(values []float64) string {
	switch len(values) {
	case 0:
		return ""
	case 1:
		return number(values[0])
	}
	return fmt.Sprintf("%s (%s-%s)", number(median(values)), number(slices.Min(values)), number(slices.Max(values)))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// percentile is the least of the sorted values that p percent do not exceed.
func percentile[T cmp.Ordered](sorted []T, p int) T {
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// number keeps about three digits.
func number(value float64) string {
	digits := 2
	switch {
	case value == math.Trunc(value), value >= 100:
		digits = 0
	case value >= 10:
		digits = 1
	}
	return fmt.Sprintf("%.*f", digits, value)
}
