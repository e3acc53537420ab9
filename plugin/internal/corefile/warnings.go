package corefile

import (
	"fmt"

	"github.com/coredns/caddy"
)

// Warnings are about what a directive accepts although it has no effect. Each names the
// Corefile and the line.
type Warnings struct {
	at    *caddy.Controller
	place string // of the directive
	texts []string
}

// Begin must be called when the controller stands at the directive.
func (w *Warnings) Begin(c *caddy.Controller) { w.at, w.place = c, Place(c) }

// Add adds a warning about the line that is being parsed or, after that, about the directive.
func (w *Warnings) Add(text string) {
	place := w.place
	if w.at != nil && w.at.Line() > 0 {
		place = Place(w.at)
	}
	w.texts = append(w.texts, place+": "+text)
}

// All returns the warnings.
func (w *Warnings) All() []string { return w.texts }

// Place returns the file and the line that a controller stands at.
func Place(c *caddy.Controller) string { return fmt.Sprintf("%s:%d", c.File(), c.Line()) }
