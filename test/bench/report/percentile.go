package report

import "cmp"

// Percentile returns the least of the sorted values that is not exceeded by p percent of
// them. There must be a value.
func Percentile[T cmp.Ordered](sorted []T, p float64) T {
	const enough = 1e-9 // for rounding errors of decimal fractions
	rank := int(float64(len(sorted))*p/100 + 1 - enough)
	return sorted[min(max(rank, 1), len(sorted))-1]
}
