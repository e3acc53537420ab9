package cluster

import "slices"

// Few is the size up to which each element of a list is compared with every other: that
// takes no memory, unlike a map.
const Few = 16

// Distinct removes repetitions from a list, in place.
func Distinct[T comparable](list []T) []T {
	if len(list) > Few {
		return unique(list)
	}
	kept := list[:0]
	for _, item := range list {
		if !slices.Contains(kept, item) {
			kept = append(kept, item)
		}
	}
	return kept
}

func unique[T comparable](list []T) []T {
	seen := make(map[T]struct{}, len(list))
	return slices.DeleteFunc(list, func(item T) bool {
		_, dup := seen[item]
		seen[item] = struct{}{}
		return dup
	})
}
