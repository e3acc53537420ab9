package report

import "cmp"

// Percentile is the least of the sorted values that p percent do not exceed.
// There must be a value.
func Percentile[T cmp.Ordered](sorted []T, p float64) T {
	const enough = 1e-9 // for what a product of decimal fractions may be off
	rank := int(float64(len(sorted))*p/100 + 1 - enough)
	return sorted[min(max(rank, 1), len(sorted))-1]
}
