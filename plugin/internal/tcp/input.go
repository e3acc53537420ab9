package tcp

import (
	"encoding/binary"
	"io"
)

const (
	// leastInput and mostInput bound the memory for questions of a connection. One longer question
	// gets as much as it needs.
	leastInput = 512
	mostInput  = 16 << 10
)

// input has the octets that a client has sent.
type input struct {
	buf         []byte
	read, write int // offsets of what is there
	crowded     bool
}

// next returns the next message, which is valid until fill is called, or nil if it is not there yet.
func (in *input) next() []byte {
	size, known := in.needs()
	if !known || in.write-in.read < size {
		return nil
	}
	m := in.buf[in.read+prefix : in.read+size]
	in.read += size
	return m
}

// needs returns the size of the next message with its length ahead.
func (in *input) needs() (size int, known bool) {
	if in.write-in.read < prefix {
		return prefix, false
	}
	return prefix + int(binary.BigEndian.Uint16(in.buf[in.read:])), true
}

// fill reads what has arrived, at least one octet.
func (in *input) fill(r io.Reader) error {
	in.makeRoom()
	n, err := r.Read(in.buf[in.write:])
	in.write += n
	in.crowded = in.write == len(in.buf)
	if n > 0 {
		return nil
	}
	return err
}

// makeRoom moves what is there to the beginning, and makes the memory larger if the next message
// has no room or the last read has filled it, or smaller after a long message.
func (in *input) makeRoom() {
	needs, _ := in.needs()
	want := max(leastInput, needs, min(len(in.buf), mostInput))
	if in.crowded {
		want = max(want, min(2*len(in.buf), mostInput))
	}
	buf := in.buf
	if len(buf) != want && (len(buf) < want || in.write-in.read <= want) {
		buf = make([]byte, want)
	}
	in.write = copy(buf, in.buf[in.read:in.write])
	in.buf, in.read = buf, 0
}
