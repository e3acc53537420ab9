package corefile

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestLiterals(t *testing.T) {
	for text, want := range map[string][]string{
		`(.*)\.svc\.cluster\.local\.[^.]+\.svc\.cluster\.local\.$`: {".svc.cluster.local.", ".svc.cluster.local."},
		`.*[.]apps[.]shop[.]example`:                               {".apps.shop.example"},
		`^(?:[^.]+\.){4,}internal\.cloudapp\.net\.$`:               {"internal.cloudapp.net."},
		`(?i)Old[.]example`:                                        {"."},
		`a|b`:                                                      nil,
		`(one)+(two)?three`:                                        {"three"},
		`^((x)y)z`:                                                 {"x", "y", "z"},
		``:                                                         nil,
	} {
		e, err := compile(text)
		if err != nil || !slices.Equal(e.literals, want) {
			t.Errorf("%s: %q, %v, want %q", text, e.literals, err, want)
		}
	}
}

// TestExpressionsMatchAsPlugins compares with the expression alone, for random names.
func TestExpressionsMatchAsPlugins(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	labels := []string{"web", "a", "svc", "cluster", "local", "apps", "shop", "example", "Old", "old", "x", "y"}
	for _, text := range []string{
		`(.*)\.svc\.cluster\.local\.[^.]+\.svc\.cluster\.local\.$`, `(.*)[.]apps[.]shop[.]example[.]$`, `(?i)old[.]Example`, `web|old`, `^web[.]a`, `a.*a.*a`,
		`svc\.svc`, `\.svc.*\.local\.`, `(?:x|y)\.old`, `^(.*)\.(svc)\.(cluster\.local)`, `o(?i:LD)`, `(we)(?:b\.)+`, `aa`, `\bold\b`, `l\.$`,
	} {
		e, err := compile(text)
		if err != nil {
			t.Fatal(err)
		}
		matched := 0
		for range 3000 {
			var name strings.Builder
			for range 1 + random.IntN(8) {
				name.WriteString(labels[random.IntN(len(labels))] + ".")
			}
			got, want := e.matches(name.String()), e.MatchString(name.String())
			if got != want {
				t.Fatalf("%s: %s matches: %v, want %v", text, name.String(), got, want)
			}
			if got {
				matched++
			}
		}
		t.Logf("%s: %d", text, matched)
	}
}
