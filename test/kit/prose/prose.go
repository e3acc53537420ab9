// Package prose looks at what programs say to people.
package prose

import (
	"regexp"
	"testing"
)

// doubled is punctuation that comes of putting texts together, such as a name with its last dot at the end of a
// sentence. Three dots stand for what is left out, and two colons for the zeros of an address.
var doubled = regexp.MustCompile(`(?:^|[^.])\.\.(?:\s|$)|[.,;]\s*[,;]|[,;:]\s*\.(?:\s|$)|::\s|\s[,;](?:\s|$)| {2,}\S| $`)

// Check fails a test if a text has doubled punctuation or blanks.
func Check(t testing.TB, text string) {
	t.Helper()
	if found := doubled.FindString(text); found != "" {
		t.Errorf("%q in %q", found, text)
	}
}
