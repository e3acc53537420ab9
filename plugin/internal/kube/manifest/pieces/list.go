package pieces

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// listReader returns a function that reads the document beginning with text item by item,
// or nil if text does not show a list.
func (s *splitter) listReader(text []byte) func() error {
	if indent, ok := blockItems(text); ok {
		return func() error { return s.blockList(indent) }
	}
	if jsonItems(text) {
		return s.jsonList
	}
	return nil
}

// blockItems finds the line "items:" and returns the indentation of the items after it.
func blockItems(text []byte) (indent int, ok bool) {
	found := false
	for line := range bytes.Lines(text) {
		if found && isContent(line) {
			return indentOf(line), isItem(line)
		}
		found = found || isItems(line)
	}
	return 0, false
}

func isItems(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("items:"))
	return ok && !isContent(rest)
}

func isItem(line []byte) bool { return isMarker(bytes.TrimLeft(line, " "), "-") }

func indentOf(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

// blockList reads a list in which each item begins with a dash on a line of its own. In
// YAML nothing else can stand there: text that spans lines has a deeper indentation.
func (s *splitter) blockList(indent int) error {
	p := Piece{Part: Header, Line: s.line}
	for items := false; ; {
		at := s.line
		line, begins, err := s.chunk()
		if err != nil {
			return cmp.Or(s.endList(p), err)
		}
		if items && begins && isMarker(line, "---") {
			s.unread(line)
			return s.endList(p)
		}
		if part := partOf(line, indent); items && begins && p.Part != Footer && part != Whole {
			if err := s.give(p); err != nil {
				return err
			}
			p = Piece{part, at, p.Text[:0]}
		}
		p.Text = append(p.Text, line...)
		if items && begins && isMarker(line, "...") {
			return s.endList(p)
		}
		if len(p.Text) > Limit {
			return s.tooLarge(p.Line)
		}
		items = items || isItems(line)
	}
}

// partOf returns the part of a list that a line among its items begins, or Whole if the
// line continues the part before it.
func partOf(line []byte, indent int) Part {
	switch here := indentOf(line); {
	case here == indent && isItem(line):
		return Item
	case isContent(line) && (here < indent || here == 0):
		return Footer
	}
	return Whole
}

// endList passes on the last piece, followed by an empty footer unless that was the footer.
func (s *splitter) endList(p Piece) error {
	if err := s.give(p); err != nil || p.Part == Footer {
		return err
	}
	return s.take(Piece{Part: Footer, Line: s.line})
}

// jsonItems reports whether text begins a JSON object that has a list of items.
func jsonItems(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	for {
		key, err := d.Token()
		if err != nil {
			return false
		}
		if key == "items" {
			t, err := d.Token()
			return err == nil && t == json.Delim('[')
		}
		if d.Decode(new(json.RawMessage)) != nil {
			return false
		}
	}
}

// jsonList reads a list in JSON.
func (s *splitter) jsonList() error {
	r := &jsonReader{s: s, first: s.line}
	r.Decoder = json.NewDecoder(r)
	err := r.list()
	if err == nil {
		rest, _ := io.ReadAll(r.Buffered()) // the decoder has read ahead
		s.unread(append(rest, r.chunk...))
		s.inner = true
		return s.endJSON()
	}
	if errors.Is(err, io.EOF) { // to the splitter, io.EOF is the end of the file
		err = io.ErrUnexpectedEOF
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s:%d: expected JSON: %w", s.path, r.lineAt(r.InputOffset())+1, err)
	}
	return err
}

// endJSON reads to the end of the document. Nothing may follow the list there.
func (s *splitter) endJSON() error {
	for {
		line, begins, err := s.chunk()
		if err != nil {
			return err
		}
		if begins && isMarker(line, "---") {
			s.unread(line)
			return nil
		}
		if begins && isMarker(line, "...") {
			return nil
		}
		if isContent(line) {
			return fmt.Errorf("%s:%d: expected the end of the document behind its list", s.path, s.line)
		}
	}
}

// jsonReader decodes a list. The decoder can read no more at a time than a piece may have.
type jsonReader struct {
	*json.Decoder
	s     *splitter
	chunk []byte  // has been read from s, but not by the decoder
	left  int     // how much the decoder may read before the next piece
	first int     // number of the lines before the list
	read  int64   // number of bytes that the decoder has read
	lines []int64 // offsets of the line ends after the last piece
}

func (r *jsonReader) Read(b []byte) (int, error) {
	if r.left <= 0 {
		return 0, r.s.tooLarge(r.lineAt(r.InputOffset()))
	}
	if len(r.chunk) == 0 {
		chunk, _, err := r.s.chunk()
		if err != nil {
			return 0, err
		}
		r.chunk = chunk
	}
	n := copy(b, r.chunk)
	for i, c := range b[:n] {
		if c == '\n' {
			r.lines = append(r.lines, r.read+int64(i))
		}
	}
	r.chunk, r.left, r.read = r.chunk[n:], r.left-n, r.read+int64(n)
	return n, nil
}

// lineAt returns the number of lines before an offset. Offsets must not decrease between
// calls.
func (r *jsonReader) lineAt(offset int64) int {
	for len(r.lines) > 0 && r.lines[0] < offset {
		r.lines = r.lines[1:]
		r.first++
	}
	return r.first
}

func (r *jsonReader) list() error {
	header := make(map[string]json.RawMessage)
	p := Piece{Part: Header, Line: r.first}
	r.left = Limit
	if _, err := r.Token(); err != nil {
		return err
	}
	for r.More() {
		key, err := r.Token()
		if err != nil {
			return err
		}
		if key != "items" || p.Part == Footer {
			var value json.RawMessage
			if err := r.Decode(&value); err != nil {
				return err
			}
			header[fmt.Sprint(key)] = value
			continue
		}
		if err := r.giveHeader(p, header); err != nil {
			return err
		}
		if err := r.items(); err != nil {
			return err
		}
		p = Piece{Part: Footer, Line: r.lineAt(r.InputOffset())}
	}
	if _, err := r.Token(); err != nil {
		return err
	}
	return r.giveHeader(p, header)
}

func (r *jsonReader) items() error {
	if _, err := r.Token(); err != nil {
		return err
	}
	for r.More() {
		r.left = Limit
		var item json.RawMessage
		if err := r.Decode(&item); err != nil {
			return err
		}
		line := r.lineAt(r.InputOffset() - int64(len(item)))
		if err := r.s.give(Piece{Item, line, item}); err != nil {
			return err
		}
	}
	r.left = Limit
	_, err := r.Token()
	return err
}

func (r *jsonReader) giveHeader(p Piece, header map[string]json.RawMessage) (err error) {
	if p.Text, err = json.Marshal(header); err != nil {
		return err
	}
	clear(header)
	return r.s.give(p)
}
