package objects

import (
	"cmp"
	"slices"
	"strings"
)

// mostSimilar is the largest number of names that Similar returns.
const mostSimilar = 3

// Similar returns the Services of a Namespace that people may mean by a name that none has, the nearest first. They forget what
// a chart puts around a name, write another separator, or mistype.
func (o *Set) Similar(namespace, name string) (names []string) {
	ranks := map[string]int{}
	for _, s := range o.Services {
		if r := resemblance(s.Name, name); s.Namespace == namespace && r > 0 {
			ranks[s.Name] = r
			names = append(names, s.Name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(ranks[a], ranks[b]), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	return names[:min(len(names), mostSimilar)]
}

// resemblance returns how far two names are from each other, from 1 on, or 0 if they have nothing in common.
func resemblance(a, b string) int {
	plain := strings.NewReplacer("-", "", "_", "")
	whole := func(s string) string { return "-" + s + "-" }
	mistyped := distance(a, b)
	switch {
	case plain.Replace(a) == plain.Replace(b):
		return 1
	case mistyped <= bearable(min(len(a), len(b))):
		return 1 + mistyped
	case strings.Contains(whole(a), whole(b)), strings.Contains(whole(b), whole(a)):
		return 1 + len(a) + len(b) // behind what is mistyped
	}
	return 0
}

// bearable returns how many mistakes a word of a length may have and still be meant.
func bearable(length int) int {
	switch {
	case length < 4:
		return 0
	case length < 12:
		return 1
	}
	return 2
}

// distance returns how many letters must be added, left out, exchanged, or swapped with the next one, to make one word of
// another (the optimal string alignment distance).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			rows[i][j] = max(i, j)
			if i == 0 || j == 0 {
				continue
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+differs(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

func differs(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
