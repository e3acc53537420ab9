package report

import (
	"io"
	"slices"
)

// WriteSummary writes the rows of a few figures for the beginning of a page: the medians of
// two columns, and all ratios of the first one.
func (r *Report) WriteSummary(w io.Writer, titles map[string]string, ours, stock string, figures []string) {
	ratios := slices.DeleteFunc(slices.Clone(r.ratios), func(ratio Ratio) bool { return ratio.Of != ours })
	header := []string{"figure", titles[ours], titles[stock]}
	for _, ratio := range ratios {
		header = append(header, ratio.Of+" / "+ratio.To)
	}
	writeRow(w, header)
	writeRow(w, append([]string{"---"}, slices.Repeat([]string{"---:"}, len(header)-1)...))
	for _, figure := range figures {
		if !slices.Contains(r.figures, figure) {
			continue
		}
		row := []string{figure, r.medianText(figure, ours), r.medianText(figure, stock)}
		for _, ratio := range ratios {
			row = append(row, r.ratio(figure, ratio))
		}
		writeRow(w, row)
	}
}

func (r *Report) medianText(figure, column string) string {
	value, ok := r.Median(figure, column)
	if !ok {
		return ""
	}
	return number(value)
}
