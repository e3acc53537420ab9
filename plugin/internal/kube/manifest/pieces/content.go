package pieces

import "bytes"

// Content records whether a text has more than white space, comments and marks
// between documents.
type Content struct {
	content, comments bool
	line              []byte // the beginning of the current line, without repeated blanks
}

// lineStart is how much of a line shows whether it has content: a mark between documents, a
// blank and a character.
const lineStart = 5

// Write implements io.Writer. It never fails.
func (c *Content) Write(data []byte) (int, error) {
	for _, b := range data {
		if c.content {
			break
		}
		switch {
		case b == '\n':
			c.endLine()
		case bytes.IndexByte([]byte(" \t\r"), b) >= 0:
			if n := len(c.line); n > 0 && n < lineStart && c.line[n-1] != ' ' {
				c.line = append(c.line, ' ')
			}
		case len(c.line) < lineStart:
			c.line = append(c.line, b)
		}
	}
	return len(data), nil
}

func (c *Content) endLine() {
	line := bytes.TrimSpace(c.line)
	if isMarker(line, "---") || isMarker(line, "...") {
		line = bytes.TrimSpace(line[len("---"):])
	}
	c.content = c.content || isContent(line)
	c.comments = c.comments || len(line) > 0
	c.line = c.line[:0]
}

// Lacking returns what a text without content is, or "". The text must have ended.
func (c *Content) Lacking() string {
	switch c.endLine(); {
	case c.content:
		return ""
	case c.comments:
		return "only comments: a list without items says that there are no objects"
	}
	return "an empty file"
}
