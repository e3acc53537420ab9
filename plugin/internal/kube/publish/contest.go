package publish

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
)

// leads reports whether a name leads somewhere.
func leads(p *cluster.Published) bool { return len(p.Addrs) > 0 || p.Alias != "" }

func aliased(p *cluster.Published) bool { return p.Alias != "" }

func hasRecords(p *cluster.Published) bool { return len(p.Records) > 0 }

// compatible returns the claims that can be together: beside an alias nothing else can be (RFC 1034 3.6.2).
// It also returns the claim because of which the others are left out, or nil.
func compatible(claims []claim) (left []claim, by *claim) {
	by, other := oldest(claims, leads), oldest(claims, hasRecords)
	if by == nil || other == nil || !aliased(by.records) {
		return claims, nil
	}
	out := hasRecords
	if other.by.before(by.by) {
		by, out = other, aliased
	}
	for _, c := range claims {
		if !out(c.records) {
			left = append(left, c)
		}
	}
	return left, by
}

// recordsOfType returns the records that a name has of a type.
func recordsOfType(p *cluster.Published, rrtype uint16) (list []cluster.Record) {
	for _, r := range p.Records {
		if r.Type == rrtype {
			list = append(list, r)
		}
	}
	return list
}

// typesOf returns the types of which several objects have records for one name, sorted.
func typesOf(claims []claim) (types []uint16) {
	for _, c := range claims {
		types = append(types, c.records.Types()...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// oldest returns the claim of the oldest object that has such records, or nil.
func oldest(claims []claim, has func(*cluster.Published) bool) *claim {
	for i := range claims {
		if has(claims[i].records) {
			return &claims[i]
		}
	}
	return nil
}

// Contested returns the number of names that several objects have, each otherwise.
func (s *Set) Contested() int { return len(s.contested) }

// contest finds out whether several objects have a name, each otherwise, and warns about those that
// do not get it.
func (s *Set) contest(name string) {
	delete(s.contested, name)
	all := s.claims[name]
	if len(all) < 2 {
		return
	}
	claims, by := compatible(all)
	for i, left := 0, claims; by != nil && i < len(all); i++ {
		if len(left) > 0 && left[0].by == all[i].by {
			left = left[1:]
		} else {
			s.lose(name, by, &all[i])
		}
	}
	s.contestIn(name, claims, leads, leadAlike)
	for _, rrtype := range typesOf(claims) {
		has := func(p *cluster.Published) bool { return len(recordsOfType(p, rrtype)) > 0 }
		s.contestIn(name, claims, has, func(a, b *cluster.Published) bool {
			return slices.Equal(recordsOfType(a, rrtype), recordsOfType(b, rrtype))
		})
	}
}

// leadAlike reports whether two lead to the same, in whatever order and letter case.
func leadAlike(a, b *cluster.Published) bool {
	outside := func(addr netip.Addr) bool { return !slices.Contains(b.Addrs, addr) }
	return a == b || strings.EqualFold(a.Alias, b.Alias) && len(a.Addrs) == len(b.Addrs) && !slices.ContainsFunc(a.Addrs, outside)
}

// contestIn does so for one kind of records.
func (s *Set) contestIn(name string, claims []claim, has func(*cluster.Published) bool, same func(a, b *cluster.Published) bool) {
	first := oldest(claims, has)
	for i := range claims {
		c := &claims[i]
		if !has(c.records) || same(first.records, c.records) {
			continue
		}
		s.lose(name, first, c)
	}
}

// lose records that a claim gives way to an older one.
func (s *Set) lose(name string, older, younger *claim) {
	s.contested[name] = true
	if len(s.told) <= maxTold && s.tell(older.by.String()+" "+younger.by.String()) {
		s.Warn(fmt.Sprintf("%s has the name %s, as %s", younger.by, hostname.Of(name), instead(older.by, younger.by)))
	}
}

// instead says whose records a name has, and why. The API server tells the second in which an object was made.
func instead(older, younger *Object) string {
	if older.created == younger.created {
		return fmt.Sprintf("%s of the same age, with other records: the name has those of the one whose Namespace, name and kind come first", older)
	}
	return fmt.Sprintf("the older %s, with other records: the name has those of the older one", older)
}

// maxTold bounds the number of lines that the log gets, and that are remembered.
const maxTold = 1000

// tell reports whether something was not yet told.
func (s *Set) tell(what string) bool {
	key := maphash.String(s.seed, what)
	if s.told[key] || len(s.told) > maxTold {
		return false
	}
	if s.told[key] = true; len(s.told) > maxTold {
		s.Warn(fmt.Sprintf("published names: %d lines have been written; what else is left out is not told until the next start", maxTold))
	}
	return len(s.told) <= maxTold
}

// complain tells what is wrong with an object.
func (s *Set) complain(o *Object) {
	if len(o.problems) == 0 {
		return
	}
	if text := o.String() + ": " + strings.Join(o.problems, ", "); s.tell(text) {
		s.Complain(text)
	}
}

// Settle says that all objects are known. What leads to nothing from then on leads to nothing.
func (s *Set) Settle() {
	if s.settled {
		return
	}
	s.settled = true
	for id, all := range s.followers {
		for o := range all {
			s.complainOfParent(o, id)
		}
	}
	if s.inside != nil {
		s.complainOfClasses()
	}
}

func (s *Set) complainOfParent(o *Object, id ID) {
	if text := o.String() + " leads to " + id.String() + ", which is not there"; s.objects[id] == nil && s.tell(text) {
		s.Warn(text)
	}
}

// maxProblems bounds what is told of one object.
const maxProblems = 5

// problem remembers that a part of an object is left out, and why. Texts of the object are shortened.
func (o *Object) problem(format string, args ...any) {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = shortened(text)
		}
	}
	switch n := len(o.problems); {
	case n < maxProblems:
		o.problems = append(o.problems, fmt.Sprintf(format, args...))
	case n == maxProblems:
		o.problems = append(o.problems, "and more")
	}
}

// shortened returns a text, or its beginning if it is too long for a line.
func shortened(text string) string {
	const most = 100
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// Problems returns what is wrong with an object: each part that is left out, with the reason.
func (k Kind) Problems(o metav1.Object) []string {
	if made := k.Convert(Settings{Kinds: k.needed}, o); made != nil {
		return made.problems
	}
	return nil
}
