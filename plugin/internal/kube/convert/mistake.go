package convert

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Mistake returns what an externalName is that no resolver can follow, and what to write in its
// place; "" for a name of a host.
func Mistake(externalName string) string {
	name := strings.TrimSuffix(strings.ToLower(externalName), ".")
	switch host, _, _ := strings.Cut(name, ":"); {
	case externalName == "":
		return "found nothing"
	case ParseAddr(name).IsValid():
		return fmt.Sprintf("found the IP address %q: write a headless Service and an EndpointSlice", externalName)
	case strings.Contains(name, "://"):
		return fmt.Sprintf("found the URL %q: write its host alone", externalName)
	case host != name && isName(host):
		return fmt.Sprintf("found %q: leave out the port", externalName)
	case !isName(name):
		return fmt.Sprintf("found %q", externalName)
	}
	return ""
}

// isName reports whether DNS accepts a text as a host name. Underscores are allowed.
func isName(text string) bool {
	return len(validation.IsDNS1123Subdomain(strings.ReplaceAll(text, "_", "x"))) == 0
}
