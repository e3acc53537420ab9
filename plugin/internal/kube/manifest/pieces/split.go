// Package pieces splits YAML and JSON files into pieces that are parsed one by one, however large a file
// is. It knows lines, documents and lists, and no object.
package pieces

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
)

// A parsed document takes about forty times the memory of its text, so a file is parsed in
// pieces. A whole cluster, as kubectl writes it, is one list in one document: above
// WholeDocument octets, each item of a list is a piece of its own.
//
// etcd accepts objects of at most 1.5 MiB, so an object fits into Limit with any
// indentation. separatorsLimit bounds texts that consist of nothing but structure, which
// take the most memory for their size.
const (
	WholeDocument   = 512 << 10
	Limit           = 4 << 20
	separatorsLimit = 400_000
)

// Part says which part of its document a piece is.
type Part int

// The parts of a document.
const (
	Whole  Part = iota // the whole document
	Item               // an item of its list
	Header             // the text before the items
	Footer             // the text after the items; every list ends with one
)

// Piece is a text that is parsed at once.
type Piece struct {
	Part Part
	Line int // number of lines before the piece
	Text []byte
}

// Split splits a file into pieces and passes them to take one after another. The text of a piece is
// valid only until take returns. Of documents with more than whole octets, lists are split.
func Split(path string, in io.Reader, whole int, take func(Piece) error) error {
	s := &splitter{path: path, in: bufio.NewReaderSize(in, 64<<10), whole: whole, take: take}
	return s.run()
}

type splitter struct {
	path  string
	in    *bufio.Reader
	back  []byte // text that was unread and is read again before in
	inner bool   // the next chunk continues a line
	line  int    // number of lines read
	whole int    // size above which lists are split
	take  func(Piece) error
}

func (s *splitter) run() error {
	for {
		if err := s.document(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// chunk returns the next line, or a part of a very long one, and whether it begins a line.
// It is valid until the next call.
func (s *splitter) chunk() (chunk []byte, begins bool, err error) {
	begins = !s.inner
	if len(s.back) > 0 {
		end := bytes.IndexByte(s.back, '\n') + 1
		if end == 0 {
			end = len(s.back)
		}
		chunk, s.back = s.back[:end], s.back[end:]
	} else if chunk, err = s.in.ReadSlice('\n'); errors.Is(err, bufio.ErrBufferFull) || len(chunk) > 0 {
		err = nil
	}
	s.inner = len(chunk) > 0 && chunk[len(chunk)-1] != '\n'
	s.line += bytes.Count(chunk, []byte{'\n'})
	return chunk, begins, err
}

// unread puts back text that began a line, to be read again.
func (s *splitter) unread(text []byte) {
	s.line -= bytes.Count(text, []byte{'\n'})
	s.back = append(bytes.Clone(text), s.back...)
	s.inner = false
}

// document reads one document. A marker ends a document wherever it begins a line, but
// directives and comments belong to the document after them.
func (s *splitter) document() error {
	var text []byte
	first, begun, list := s.line, false, false
	for {
		chunk, begins, err := s.chunk()
		if err != nil {
			return cmp.Or(s.give(Piece{Whole, first, text}), err)
		}
		if begins && begun && isMarker(chunk, "---") {
			s.unread(chunk)
			return s.give(Piece{Whole, first, text})
		}
		text = append(text, chunk...)
		if begins && isMarker(chunk, "...") {
			return s.give(Piece{Whole, first, text})
		}
		begun = begun || isContent(chunk)
		if len(text) > s.whole && !list {
			list = true
			if read := s.listReader(text); read != nil {
				s.unread(text)
				return read()
			}
		}
		if len(text) > Limit {
			return s.tooLarge(first)
		}
	}
}

func (s *splitter) give(p Piece) error {
	if len(p.Text) == 0 {
		return nil
	}
	if len(p.Text) > Limit {
		return s.tooLarge(p.Line)
	}
	if separators(p.Text) > separatorsLimit {
		return fmt.Errorf("%s:%d: expected a Kubernetes object, found more than %d values", s.path, p.Line+1, separatorsLimit)
	}
	return s.take(p)
}

func (s *splitter) tooLarge(line int) error {
	return fmt.Errorf("%s:%d: expected a Kubernetes object, found more than %d MiB: put --- between objects, or write a list as kubectl writes it",
		s.path, line+1, Limit>>20)
}

func separators(text []byte) (n int) {
	for _, c := range []byte("\n,:[{") {
		n += bytes.Count(text, []byte{c})
	}
	return n
}

// isMarker reports whether a line is a given marker between documents.
func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// isContent reports whether a line is more than a comment or a directive.
func isContent(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) > 0 && line[0] != '#' && line[0] != '%'
}
