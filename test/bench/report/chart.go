package report

import (
	"fmt"
	"html"
	"io"
	"slices"
)

// Chart is a chart of bars in groups. It has the named columns, or all.
type Chart struct {
	Title   string
	Groups  []Group
	Columns []string
}

// Group is a group of bars: one for each column that has the figure.
type Group struct{ Label, Figure string }

// Sizes of the chart in pixels.
const (
	chartWidth  = 900
	barsFrom    = 180 // bars begin here, with names on the left
	barsTo      = 820 // the longest bar ends here, with its value on the right
	barHeight   = 14
	labelHeight = 16 // height of a group's name
	groupGap    = 12
	chartHeader = 34
)

// colours are the colours of the columns, distinct also in grey and for colour-blind
// readers.
var colours = []string{"#1b6ca8", "#7fb2d9", "#c0392b", "#e59a8f", "#8a8a8a", "#2e7d4f", "#9ccfae", "#555555", "#b58900"}

// bar is one bar with the median of a column.
type bar struct {
	column string
	value  float64
}

// WriteChart writes the medians as bars in SVG. It omits figures that no column has.
func (r *Report) WriteChart(w io.Writer, c Chart, titles map[string]string) {
	groups := slices.DeleteFunc(slices.Clone(c.Groups), func(g Group) bool { return len(r.bars(c, g)) == 0 })
	height, longest := chartHeader, 0.0
	for _, group := range groups {
		for _, b := range r.bars(c, group) {
			longest = max(longest, b.value)
			height += barHeight
		}
		height += labelHeight + groupGap
	}
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", chartWidth, height)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	fmt.Fprintf(w, `<text x="10" y="20" font-size="14" font-weight="bold">%s</text>`+"\n", html.EscapeString(c.Title))
	y := chartHeader
	for _, group := range groups {
		fmt.Fprintf(w, `<text x="10" y="%d" font-weight="bold">%s</text>`+"\n", y+barHeight-3, html.EscapeString(group.Label))
		y += labelHeight
		for _, b := range r.bars(c, group) {
			r.drawBar(w, y, b, titles[b.column], longest)
			y += barHeight
		}
		y += groupGap
	}
	fmt.Fprintln(w, "</svg>")
}

func (r *Report) bars(c Chart, g Group) []bar {
	var all []bar
	for _, column := range r.columns {
		if len(c.Columns) > 0 && !slices.Contains(c.Columns, column) {
			continue
		}
		if value, ok := r.Median(g.Figure, column); ok {
			all = append(all, bar{column, value})
		}
	}
	return all
}

func (r *Report) drawBar(w io.Writer, y int, b bar, title string, longest float64) {
	width := 0.0
	if longest > 0 {
		width = b.value / longest * (barsTo - barsFrom)
	}
	colour := colours[slices.Index(r.columns, b.column)%len(colours)]
	fmt.Fprintf(w, `<text x="%d" y="%d" text-anchor="end" fill="#444">%s</text>`, barsFrom-6, y+barHeight-3, html.EscapeString(title))
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, barsFrom, y+1, width, barHeight-3, colour)
	fmt.Fprintf(w, `<text x="%.1f" y="%d">%s</text>`+"\n", barsFrom+width+5, y+barHeight-3, number(b.value))
}
