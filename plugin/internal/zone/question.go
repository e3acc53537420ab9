package zone

import (
	"unsafe"

	"github.com/miekg/dns"
)

// Question is a question in wire form, in memory that is used again and again:
// what a look-up makes of it must not outlive the next call of Parse.
type Question struct {
	Type  uint16
	name  Name
	upper bool // the client wrote capital letters
	buf   [maxName]byte
}

// maxName is the size of a name in wire form (RFC 1035 2.3.4).
const maxName = 255

// Parse reads the name at the start of wire and returns its length there. It
// fails for what is no name, and for one that is compressed.
func (q *Question) Parse(wire []byte) (int, bool) {
	q.upper = false
	n := &q.name
	n.count = 0
	for i := 0; i < len(wire) && i < maxName; {
		size := int(wire[i])
		if size == 0 {
			q.buf[i] = 0
			// The look-up takes strings, and the buffer does not change while it runs.
			n.folded = unsafe.String(&q.buf[0], i+1)
			return i + 1, true
		}
		if size >= 64 || i+1+size >= len(wire) || i+1+size >= maxName {
			return 0, false
		}
		n.offsets[n.count] = uint8(i)
		n.count++
		q.buf[i] = wire[i]
		q.foldLabel(i+1, wire[i+1:i+1+size])
		i += 1 + size
	}
	return 0, false
}

// ParseText reads a name in presentation form (RFC 1035 5.1), as ParseName does. What
// it returns is in the question's own memory.
func (q *Question) ParseText(text string) (*Name, error) {
	if q.foldText(text) {
		q.name.text = text
		return &q.name, nil
	}
	parsed, err := ParseName(dns.Name(text).String())
	q.name = parsed
	return &q.name, err
}

// foldText reads a name of which each character stands for itself. In wire form the
// length of a label takes the place of the dot before it.
func (q *Question) foldText(text string) bool {
	n := &q.name
	n.count = 0
	if len(text) < 2 || len(text) >= maxName || text[len(text)-1] != '.' {
		return false
	}
	start := 0
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '.':
			if i == start || i-start >= 64 {
				return false
			}
			q.buf[start] = byte(i - start)
			n.offsets[n.count] = uint8(start)
			n.count++
			start = i + 1
			continue
		case !plain[c]:
			return false
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		q.buf[i+1] = c
	}
	q.buf[start] = 0
	n.folded = unsafe.String(&q.buf[0], start+1)
	return true
}

// Wire is the name in wire form and lower case, in the question's own memory.
func (q *Question) Wire() []byte { return q.buf[:len(q.name.folded)] }

// foldLabel copies a label to the buffer in lower case (ASCII only, RFC 4343).
func (q *Question) foldLabel(at int, label []byte) {
	dst := q.buf[at : at+len(label)]
	for i, c := range label {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
			q.upper = true
		}
		dst[i] = c
	}
}

// Holds says whether the question's name is the origin or below it.
func (o *Origin) Holds(q *Question) bool { return o.encloses(&q.name) }

// Labels is the number of labels of the name.
func (q *Question) Labels() int { return q.name.count }

// AppendName appends the question's name in presentation form, in lower case. It
// fails for a name that is spelled with an escape.
func (q *Question) AppendName(dst []byte) ([]byte, bool) {
	for i := range q.name.count {
		for _, c := range []byte(q.name.label(i)) {
			if c == '.' || escapes(rune(c)) {
				return dst, false
			}
			dst = append(dst, c)
		}
		dst = append(dst, '.')
	}
	return dst, true
}

// headerSize is that of a message (RFC 1035 4.1.1): the question's name comes
// behind it.
const headerSize = 12

// pointerTo is a compression pointer to an offset in the message (RFC 1035 4.1.4).
func pointerTo(at int) uint16 { return 0xC000 | uint16(at) }

// suffixPointer is a compression pointer to the last count labels of the
// question's name, of which there must be one.
func (q *Question) suffixPointer(count int) uint16 {
	return pointerTo(headerSize + int(q.name.offsets[q.name.count-count]))
}
