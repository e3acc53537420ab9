// Package report collects figures of several runs and presents them as a table in Markdown
// and as a chart.
package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Report is a table with a row for each figure and a column for each server. A cell has the
// values of all runs.
type Report struct {
	columns []string
	ratios  []Ratio
	figures []string // in the order of their first value
	values  map[cell][]float64
}

// Ratio is a column with the quotient of two others.
type Ratio struct{ Of, To string }

type cell struct{ figure, column string }

// New makes an empty table. It omits ratios whose columns do not exist.
func New(columns []string, ratios ...Ratio) *Report {
	r := &Report{columns: columns, values: map[cell][]float64{}}
	for _, ratio := range ratios {
		if slices.Contains(columns, ratio.Of) && slices.Contains(columns, ratio.To) {
			r.ratios = append(r.ratios, ratio)
		}
	}
	return r
}

// Add adds the value of one more run to a cell.
func (r *Report) Add(figure, column string, value float64) {
	if !slices.Contains(r.figures, figure) {
		r.figures = append(r.figures, figure)
	}
	at := cell{figure, column}
	r.values[at] = append(r.values[at], value)
}

// Empty reports whether nothing was added.
func (r *Report) Empty() bool { return len(r.figures) == 0 }

// Median returns the median of a cell.
func (r *Report) Median(figure, column string) (value float64, ok bool) {
	values := r.values[cell{figure, column}]
	if len(values) == 0 {
		return 0, false
	}
	return median(values), true
}

// Write writes the table in Markdown, with titles above the columns. It omits columns
// without values.
func (r *Report) Write(w io.Writer, titles map[string]string) {
	columns := slices.DeleteFunc(slices.Clone(r.columns), r.unused)
	header := []string{"figure"}
	for _, column := range columns {
		header = append(header, titles[column])
	}
	for _, ratio := range r.ratios {
		header = append(header, ratio.Of+" / "+ratio.To)
	}
	writeRow(w, header)
	writeRow(w, append([]string{"---"}, slices.Repeat([]string{"---:"}, len(header)-1)...))
	for _, figure := range r.figures {
		row := []string{figure}
		for _, column := range columns {
			row = append(row, spread(r.values[cell{figure, column}]))
		}
		for _, ratio := range r.ratios {
			row = append(row, r.ratio(figure, ratio))
		}
		writeRow(w, row)
	}
}

func (r *Report) unused(column string) bool {
	return !slices.ContainsFunc(r.figures, func(figure string) bool { return len(r.values[cell{figure, column}]) > 0 })
}

func writeRow(w io.Writer, cells []string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

// ratio returns the median of the ratios of each run, because the state of the machine
// affected both servers of a run.
func (r *Report) ratio(figure string, ratio Ratio) string {
	of, to := r.values[cell{figure, ratio.Of}], r.values[cell{figure, ratio.To}]
	if len(of) != len(to) || len(of) == 0 || slices.Contains(to, 0) {
		return ""
	}
	ratios := make([]float64, len(of))
	for i := range of {
		ratios[i] = of[i] / to[i]
	}
	return fmt.Sprintf("%.3g", median(ratios))
}

// spread returns the median with the least and the greatest value.
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

// number formats a value with about three digits.
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
