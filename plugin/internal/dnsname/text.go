package dnsname

import "strings"

// Parse parses a name in presentation form (RFC 1035 5.1). The final dot is optional.
func Parse(text string) (Name, error) {
	var wire [MaxWire]byte
	end, ok := pack(&wire, text)
	if !ok {
		return Name{}, errNotAName
	}
	if !isPlain(text) {
		return ParseWire(wire[:end])
	}
	n := Name{text: text}
	if !strings.HasSuffix(text, ".") {
		n.text += "."
	}
	return n, n.fold(wire[:end])
}

// pack writes the wire form of a name in presentation form, and returns its size.
func pack(wire *[MaxWire]byte, text string) (int, bool) {
	if text == "." {
		return 1, true
	}
	start, at := 0, 1 // offsets of the label's length octet and of the next octet
	for i := 0; i < len(text); {
		c, size := unescape(text[i:])
		switch {
		case size == 1 && c == '.':
			if at == start+1 {
				return 0, false
			}
			wire[start] = byte(at - start - 1)
			start, at = at, at+1
		case size == 0 || at-start > maxLabel || at >= MaxWire-1:
			return 0, false
		default:
			wire[at] = c
			at++
		}
		i += size
	}
	if at > start+1 {
		wire[start] = byte(at - start - 1)
		start = at
	}
	wire[start] = 0
	return start + 1, true
}

// unescape returns the first octet of a text and the number of characters that spell it:
// one, or two or four that begin with a backslash. The number is zero for a backslash with
// nothing after it.
func unescape(text string) (byte, int) {
	switch {
	case text[0] != '\\':
		return text[0], 1
	case len(text) >= 4 && isDigit(text[1]) && isDigit(text[2]) && isDigit(text[3]):
		return 100*(text[1]-'0') + 10*(text[2]-'0') + text[3] - '0', 4
	case len(text) >= 2:
		return text[1], 2
	}
	return 0, 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// plain marks the octets that are spelled as themselves. Each name has only one spelling in
// a [Name], so that an origin can be cut off its end by length.
var plain = func() (table [256]bool) {
	for c := range table {
		table[c] = c > ' ' && c <= '~' && !strings.ContainsRune(`\"'();@`, rune(c))
	}
	return table
}()

func isPlain(text string) bool {
	for i := range len(text) {
		if !plain[text[i]] {
			return false
		}
	}
	return true
}

// spell returns the presentation form of a name in wire form.
func spell(wire []byte) string {
	if len(wire) == 1 {
		return "."
	}
	buf := make([]byte, 0, MaxWire)
	for i := 0; wire[i] > 0; i += 1 + int(wire[i]) {
		buf = append(appendSpelled(buf, wire[i+1:i+1+int(wire[i])]), '.')
	}
	return string(buf)
}

// appendSpelled appends the presentation form of a label.
func appendSpelled[T ~string | ~[]byte](dst []byte, label T) []byte {
	for i := range len(label) {
		switch c := label[i]; {
		case plain[c] && c != '.':
			dst = append(dst, c)
		case c < ' ' || c > '~':
			dst = append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}
