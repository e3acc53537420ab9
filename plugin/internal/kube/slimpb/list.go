package slimpb

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	// pageBuffer is the size of the reads from a connection.
	pageBuffer = 32 << 10
	// maxObject is larger than any object that etcd accepts, whatever its settings.
	maxObject = 64 << 20
)

// ReadList reads a list, or a page of one, and passes each object to put as soon as it is
// read. It never has more than one object in memory, however long the list is, unless the
// list is in JSON. decode may be nil for a kind that only exists in JSON. A body of another
// kind than that of the list is an error: something that is no API server may send any, and no
// objects in it would mean that all are gone.
func ReadList(body io.Reader, kind string, decode Decoder, list runtime.Object, put func(metav1.Object)) (metav1.ListMeta, error) {
	r := bufio.NewReaderSize(body, pageBuffer)
	// A shorter body is JSON or not a list.
	if begin, _ := r.Peek(len(magic)); bytes.Equal(begin, magic) && decode != nil {
		return readProtobuf(r, kind, decode, put)
	}
	return readJSON(r, kind, list, put)
}

// readJSON reads a list in JSON, which every API server can send.
func readJSON(r io.Reader, kind string, list runtime.Object, put func(metav1.Object)) (about metav1.ListMeta, err error) {
	if err := json.NewDecoder(r).Decode(list); err != nil {
		return about, err
	}
	if err := checkKind(list.GetObjectKind().GroupVersionKind().Kind, kind); err != nil {
		return about, err
	}
	err = meta.EachListItem(list, func(obj runtime.Object) error {
		put(obj.(metav1.Object))
		return nil
	})
	if err != nil {
		return about, err
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return about, err
	}
	return metav1.ListMeta{ResourceVersion: accessor.GetResourceVersion(), Continue: accessor.GetContinue()}, nil
}

func checkKind(found, expected string) error {
	if found != expected {
		return fmt.Errorf("expected an object of kind %s, found kind %q", expected, found)
	}
	return nil
}

// listReader reads a list in protobuf: an envelope with the list in it, which has the
// items. The field numbers are the same for the lists of all kinds.
type listReader struct {
	r      *bufio.Reader
	kind   string
	decode Decoder
	put    func(metav1.Object)
	about  metav1.ListMeta
	item   []byte
}

func readProtobuf(from io.Reader, kind string, decode Decoder, put func(metav1.Object)) (metav1.ListMeta, error) {
	l := listReader{r: bufio.NewReaderSize(from, pageBuffer), kind: kind, decode: decode, put: put}
	if _, err := l.r.Discard(len(magic)); err != nil {
		return l.about, err
	}
	envelope := part{r: l.r, left: -1}
	found, of := false, ""
	err := envelope.each(func(number protowire.Number, size int64) (err error) {
		switch number {
		case 1:
			of, err = l.typeMeta(&envelope, size)
			return err
		case 2:
			if err := checkKind(of, l.kind); err != nil {
				return err
			}
			found = true
			return l.list(&part{r: l.r, left: size})
		}
		return envelope.skip(size)
	})
	if err == nil && !found {
		err = io.ErrUnexpectedEOF
	}
	return l.about, err
}

// typeMeta returns the kind of what is in the envelope. The API server writes it first.
func (l *listReader) typeMeta(m *part, size int64) (kind string, err error) {
	if err := l.fill(m, size); err != nil {
		return "", err
	}
	err = eachField(l.item, func(f wireField) error {
		if f.number == 2 {
			kind = string(f.bytes)
		}
		return nil
	})
	return kind, err
}

func (l *listReader) list(m *part) error {
	return m.each(func(number protowire.Number, size int64) error {
		if number != 1 && number != 2 {
			return m.skip(size)
		}
		if err := l.fill(m, size); err != nil {
			return err
		}
		if number == 1 {
			return l.meta()
		}
		obj, err := l.decode(l.item)
		if err != nil {
			return err
		}
		l.put(obj.(metav1.Object))
		return nil
	})
}

// fill reads a whole field into memory that the next field reuses.
func (l *listReader) fill(m *part, size int64) error {
	if size > maxObject {
		return fmt.Errorf("an object of %d bytes, the limit is %d", size, maxObject)
	}
	if int64(cap(l.item)) < size {
		l.item = make([]byte, size)
	}
	l.item = l.item[:size]
	return m.read(l.item)
}

func (l *listReader) meta() error {
	return eachField(l.item, func(f wireField) error {
		switch f.number {
		case 2:
			l.about.ResourceVersion = string(f.bytes)
		case 3:
			l.about.Continue = string(f.bytes)
		}
		return nil
	})
}

// part is a protobuf message that is read from a stream.
type part struct {
	r    *bufio.Reader
	left int64 // remaining bytes, or negative for everything up to the end of the stream
}

// each calls visit with each field that is a string or a message. visit must read or skip
// it.
func (m *part) each(visit func(number protowire.Number, size int64) error) error {
	for m.left != 0 {
		tag, err := binary.ReadUvarint(m)
		if errors.Is(err, io.EOF) && m.left < 0 {
			return nil
		}
		if err != nil {
			return cutOff(err)
		}
		value, err := binary.ReadUvarint(m)
		if err != nil {
			return cutOff(err)
		}
		number, kind := protowire.DecodeTag(tag)
		switch {
		case kind == protowire.VarintType:
			continue
		case kind != protowire.BytesType || number <= 0:
			return fmt.Errorf("field %d of protobuf type %d in a list", number, kind)
		case value > 1<<62 || m.left >= 0 && int64(value) > m.left:
			return fmt.Errorf("field %d of %d bytes in a message that has %d left", number, value, m.left)
		}
		if err := visit(number, int64(value)); err != nil {
			return err
		}
		m.spend(int64(value))
	}
	return nil
}

// ReadByte implements io.ByteReader, for tags and lengths.
func (m *part) ReadByte() (byte, error) {
	if m.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	b, err := m.r.ReadByte()
	if err == nil {
		m.spend(1)
	}
	return b, err
}

func (m *part) spend(n int64) {
	if m.left > 0 {
		m.left -= n
	}
}

func (m *part) read(to []byte) error {
	_, err := io.ReadFull(m.r, to)
	return cutOff(err)
}

func (m *part) skip(size int64) error {
	_, err := io.CopyN(io.Discard, m.r, size)
	return cutOff(err)
}

// cutOff returns the error for a message that ends too early, and passes on all other
// errors.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
