// Package rdata reads the data of records as the authors of DNSEndpoints write it, which is the form
// of a zone file (RFC 1035 5.1), and returns it in wire form.
package rdata

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
)

// types are the types of records that are read here. external-dns has no others besides A, AAAA and CNAME.
var types = map[string]uint16{
	"MX": cluster.TypeMX, "NAPTR": cluster.TypeNAPTR, "NS": cluster.TypeNS, "PTR": cluster.TypePTR, "SRV": cluster.TypeSRV, "TXT": cluster.TypeTXT,
}

// TypeOf returns the number of a type, or 0 for one that is not read here.
func TypeOf(name string) uint16 { return types[name] }

// Parse returns the data of a record, or "" for a text that is none of its type.
func Parse(rrtype uint16, text string) string {
	if rrtype == cluster.TypeTXT {
		return texts(text)
	}
	form, words := cluster.FormOf(rrtype), split(text)
	if len(words) != form.Numbers+form.Texts+1 || form.Numbers == 0 && words[0].raw == "." {
		return ""
	}
	var data []byte
	for i, w := range words {
		var part []byte
		switch {
		case i < form.Numbers:
			part = number(w)
		case i < form.Numbers+form.Texts:
			part = characterString(w)
		default:
			part = host(w)
		}
		if part == nil {
			return ""
		}
		data = append(data, part...)
	}
	return string(data)
}

// word is a part of a text between blanks.
type word struct {
	raw, text string // as it is written, and what it means
	quoted    bool
}

const blanks = " \t\r\n"

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }

// split returns the words of a text. A quoted one may have blanks, and a backslash stands ahead of an
// octet that means itself, or of its three digits. Nothing is a word of a text with an open quote.
func split(text string) (words []word) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimLeft(text, blanks) {
		w, n := nextWord(text)
		if n == 0 {
			return nil
		}
		words, text = append(words, w), text[n:]
	}
	return words
}

// nextWord returns the word that a text begins with and its length, which is 0 if the word has no end.
func nextWord(text string) (w word, length int) {
	var meant []byte
	i := 0
	if w.quoted = text[0] == '"'; w.quoted {
		i = 1
	}
	for i < len(text) {
		switch c := text[i]; {
		case w.quoted && c == '"':
			w.raw, w.text = text[:i+1], string(meant)
			if rest := text[i+1:]; rest != "" && !isBlank(rest[0]) {
				return w, 0
			}
			return w, i + 1
		case !w.quoted && isBlank(c):
			w.raw, w.text = text[:i], string(meant)
			return w, i
		case c == '\\':
			octet, n := escaped(text[i+1:])
			if n == 0 {
				return w, 0
			}
			meant, i = append(meant, octet), i+1+n
		default:
			meant, i = append(meant, c), i+1
		}
	}
	if w.quoted {
		return w, 0
	}
	w.raw, w.text = text, string(meant)
	return w, len(text)
}

// escaped returns the octet that stands behind a backslash, and how long it is written.
func escaped(text string) (octet byte, length int) {
	if text == "" {
		return 0, 0
	}
	if text[0] < '0' || text[0] > '9' {
		return text[0], 1
	}
	n, err := strconv.ParseUint(text[:min(3, len(text))], 10, 8)
	if err != nil || len(text) < 3 {
		return 0, 0
	}
	return byte(n), 3
}

// number returns the two octets of a number.
func number(w word) []byte {
	n, err := strconv.ParseUint(w.raw, 10, 16)
	if err != nil {
		return nil
	}
	return binary.BigEndian.AppendUint16(nil, uint16(n))
}

// maxString is the length of the longest character-string (RFC 1035 3.3).
const maxString = 255

func characterString(w word) []byte {
	if len(w.text) > maxString {
		return nil
	}
	return append([]byte{byte(len(w.text))}, w.text...)
}

// host returns the name of a host in wire form. Behind numbers it may be the root, which says that there
// is no such service (RFC 7505 3, RFC 2782), or that a rule has the whole of the answer (RFC 3403 4.1).
func host(w word) []byte {
	if w.raw == "." {
		return []byte{0}
	}
	if _, err := netip.ParseAddr(strings.TrimSuffix(w.raw, ".")); err == nil || w.quoted || strings.Contains(w.raw, "*") {
		return nil
	}
	if key := hostname.DomainKey(w.raw); key != "" {
		return []byte(key)
	}
	return nil
}

// maxText is the longest text that is surely short enough for a message.
const maxText = 1<<15 - 1

// texts returns a text as the character-strings of a TXT record (RFC 1035 3.3.14), or "" for one that
// is too long. The text is taken as it stands, as external-dns does, and not as in a zone file.
func texts(text string) string {
	if len(text) > maxText {
		return ""
	}
	data := []byte{}
	for part := range slices.Chunk([]byte(text), maxString) {
		data = append(append(data, byte(len(part))), part...)
	}
	if text == "" {
		data = append(data, 0)
	}
	return string(data)
}
